"""A target is gone where three answers agree: its read by id, the policy's list, and the policy's total."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.guards.unseen_targets import UnseenTargets
from shared.core.model.resources import Policy
from tests.core.core_parts import policy

UNSEEN = UnseenTargets(not_found=frozenset({"d1"}))
FORGOTTEN = replace(UNSEEN, forgotten=frozenset({"d1"}))
WITHOUT_TOTAL = policy(associations=(), counted=False)


@pytest.mark.parametrize(
    ("unseen", "listed_by", "gone"),
    [
        (UNSEEN, policy(associations=()), True),
        (UNSEEN, policy(associations=("d1",)), False),
        (UNSEEN, policy(associations=(), hidden_associations=1), False),
        (UNSEEN, None, False),
        (UNSEEN, WITHOUT_TOTAL, False),
        (FORGOTTEN, WITHOUT_TOTAL, True),
        (FORGOTTEN, policy(associations=("d1",), counted=False), False),
        (UnseenTargets(), policy(associations=()), False),
    ],
)
def test_a_target_is_gone_only_where_all_answers_say_so(
    unseen: UnseenTargets, listed_by: Policy | None, *, gone: bool
) -> None:
    assert unseen.is_gone("d1", listed_by) is gone
