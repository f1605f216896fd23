"""Observe, ignore and enforce over the whole life: what is written on the wire, and what the record says."""

from __future__ import annotations

from tests.harness.estate import Estate


def writes(estate: Estate) -> list[str]:
    """What the workers wrote in Azure and Elastic Cloud."""
    return [call.name for call in estate.worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]


async def observing() -> Estate:
    """An estate under MODE=observe."""
    return await Estate(settings={"MODE": "observe"}).open()


async def test_observe_mode_changes_nothing_and_says_what_would_be_done() -> None:
    estate = await observing()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert writes(estate) == []
    known = await estate.connection(endpoint)
    assert [step.split(" ")[0] for step in known.planned] == ["create", "create", "link", "link", "create"]
    assert "create private connection policy pe-1 in azure-eastus2" in known.planned
    for name in ("ZoneReady", "Linked", "RecordReady", "PolicyReady"):
        condition = known.condition(name)
        assert condition is not None
        assert condition.reason == "ObserveMode"
        assert condition.message.startswith("Not done, because the setting MODE is observe: ")
    assert (known.phase, known.wake_at) == ("Provisioning", None)
