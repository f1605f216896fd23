"""Of which API keys is something told? Of those that the settings still have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.core.notifications.key_expiry import KeyNotices, note_keys, see_keys

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(days=3)


def test_an_organization_that_left_the_settings_is_told_of_no_more() -> None:
    both = {"default", "former"}
    seen = see_keys(KeyNotices(), dict.fromkeys(both, SOON), both)
    told = note_keys(seen, NOW, "c-1")
    assert {notice.data["organization"] for notice in told.outbox} == both
    later = note_keys(see_keys(told, {}, {"default"}), NOW + timedelta(days=2), "c-2")
    assert set(later.keys) == {"default"}
    assert {notice.data["organization"] for notice in later.outbox} == {"default"}


def test_a_key_that_did_not_answer_this_time_is_remembered() -> None:
    seen = see_keys(KeyNotices(), {"default": SOON}, {"default"})
    assert see_keys(seen, {}, {"default"}) == seen
    assert see_keys(seen, {"default": None}, {"default"}).keys == {}
