"""How long operations of Azure take is learned from those that were seen to end."""

from __future__ import annotations

from shared.clouds.azure.clients import Operations

ENDED, RUNNING = {"status": "Succeeded"}, {"status": "InProgress"}


async def test_an_operation_whose_end_was_seen_hours_later_keeps_no_other_waiting() -> None:
    """As after an outage: how long it took is not known then."""
    operations = Operations(shortest=1.0, longest=25.0)
    operations.note("CreateZone", 3 * 3600.0, ENDED)
    assert operations.pause("CreateZone", 61.0) == 0


async def test_what_took_long_before_our_eyes_is_looked_at_when_it_usually_ends() -> None:
    operations = Operations(shortest=1.0, longest=25.0)
    operations.note("CreateZone", 290.0, RUNNING)
    operations.note("CreateZone", 300.0, ENDED)
    assert operations.pause("CreateZone", 100.0) == 60.0
    assert operations.pause("CreateZone", 299.0) == 1.0
