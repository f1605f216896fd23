"""What only one family of targets can do: another family is asked for nothing, and refuses a step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shared.core.model.errors import Permanent
from shared.core.ports import claims_of, listed_claims

WITHOUT_CLAIMS: Any = SimpleNamespace(claims=None)


async def test_a_family_without_claims_has_claimed_nothing() -> None:
    assert await listed_claims(WITHOUT_CLAIMS, "azure-eastus2") == ()


def test_a_family_without_claims_refuses_to_make_one() -> None:
    with pytest.raises(Permanent, match="no claims"):
        claims_of(WITHOUT_CLAIMS)
