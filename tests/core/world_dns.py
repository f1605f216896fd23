"""Private DNS as plain values: what is there after one step, and whether Azure or the safety rules would refuse it.

Written without a look at the plans: it is what they are judged by. Used by `world_parts` and `plan_parts`.
"""

from __future__ import annotations

from dataclasses import replace

from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint, Link, WildcardRecord, Zone
from shared.core.model.steps import (
    CreateLink,
    CreateZone,
    DeleteLink,
    DeleteRecord,
    DeleteZone,
    DnsRemoval,
    DnsStep,
    PutWildcardRecord,
    WithdrawAddress,
)
from shared.core.options.plan_options import PlanOptions

Zones = tuple[Zone, ...]


def dns_done(zones: Zones, step: DnsStep | DnsRemoval, options: PlanOptions) -> Zones:
    """The zones once the step is done; an assertion fails where it must not be done."""
    before = next((zone for zone in zones if zone.id.key == step.zone.key), None)
    if isinstance(step, CreateZone):
        assert before is None, "a zone that is there is not made again"
        return (*zones, Zone(step.zone, step.marker, other_records=0, etag="new"))
    assert before is not None, "zone first"
    after = _changed(zones, before, step, options)
    return tuple(one for zone in zones if (one := after if zone is before else zone) is not None)


def _changed(zones: Zones, before: Zone, step: DnsStep | DnsRemoval, options: PlanOptions) -> Zone | None:
    match step:
        case CreateLink():
            return _linked(zones, before, step)
        case PutWildcardRecord():
            return replace(before, record=record_after(before.record, step, options))
        case WithdrawAddress():
            return replace(before, record=_withdrawn(before.record, step, options))
        case DeleteRecord():
            _check_own_record(before.record, step, options)
            return replace(before, record=None)
        case DeleteLink():
            return _unlinked(before, step, options)
        case DeleteZone():
            _check_unused(before, step, options)
    return None


# -- links ---------------------------------------------------------------------------------------------------------


def _linked(zones: Zones, before: Zone, step: CreateLink) -> Zone:
    same_name = [zone for zone in zones if zone.name.lower() == before.name.lower()]
    assert not any(zone.link_to(step.vnet_id) for zone in same_name), "one zone of a name per network"
    link_id = f"{step.zone.text}/virtualNetworkLinks/{step.name}"
    made = Link(link_id, step.name, step.vnet_id, completed=True, marker=step.marker, etag="new")
    return replace(before, links=(*before.links, made))


def _unlinked(before: Zone, step: DeleteLink, options: PlanOptions) -> Zone:
    (link,) = [link for link in before.links if link.name == step.name and link.vnet_id == step.vnet_id]
    assert link.etag == step.etag, "only the version that was read is deleted"
    assert link.marker is not None, "a link that others made is not deleted"
    assert link.marker.instance == options.installation.instance_id, "a link of another installation is not deleted"
    assert before.record is None, "while names still resolve, networks stay linked"
    return replace(before, links=tuple(one for one in before.links if one is not link))


def _check_unused(before: Zone, step: DeleteZone, options: PlanOptions) -> None:
    assert before.etag == step.etag, "only the version that was read is deleted"
    assert before.marker is not None, "a zone that others made is not deleted"
    assert before.marker.instance == options.installation.instance_id, "a zone of another installation is not deleted"
    assert (before.links, before.record, before.other_records) == ((), None, 0), "only an empty zone is deleted"


# -- record --------------------------------------------------------------------------------------------------------


def record_after(before: WildcardRecord | None, step: PutWildcardRecord, options: PlanOptions) -> WildcardRecord:
    """The record once it is written; what others made, or hold, stays in it."""
    if before is None:
        assert step.etag is None, "what is not there is created only if absent"
    else:
        assert step.etag == before.etag, "only the version that was read is replaced"
        assert before.marker is not None, "what is foreign is never written"
        assert before.marker.instance == options.installation.instance_id, (
            "what another installation made is never written"
        )
        for holder in before.marker.holders:
            kept = step.marker.holder(holder.connection_id)
            assert kept is not None, "no holder is thrown out"
            assert kept.address in step.addresses, "no holder's address is thrown out"
    assert 1 <= len(step.addresses) == len(set(step.addresses)) <= 20
    assert step.ttl == options.dns.record_ttl
    return WildcardRecord(step.addresses, f"{step.etag}+", step.marker)


def _withdrawn(before: WildcardRecord | None, step: WithdrawAddress, options: PlanOptions) -> WildcardRecord:
    new = step.record
    assert before is not None
    assert before.marker is not None, "what is foreign is never written"
    assert before.marker.instance == options.installation.instance_id, "what another installation made is never written"
    assert new.etag == before.etag, "only the version that was read is replaced"
    left = [holder for holder in before.marker.holders if new.marker.holder(holder.connection_id) is not None]
    assert len(left) == len(before.marker.holders) - 1, "one holder goes, the others stay"
    assert set(new.marker.holders) == set(left)
    assert all(holder.address in new.addresses for holder in left), "no other holder's address is thrown out"
    assert new.addresses, "a record without an address is none"
    assert set(before.addresses) - set(new.addresses) <= {step.address}, "nothing else is thrown out"
    return WildcardRecord(new.addresses, f"{new.etag}+", new.marker)


def _check_own_record(before: WildcardRecord | None, step: DeleteRecord, options: PlanOptions) -> None:
    assert before is not None
    assert before.etag == step.etag, "only the version that was read is deleted"
    assert before.marker is not None, "a record that others made is not deleted"
    assert before.marker.instance == options.installation.instance_id, "a record of another installation is not deleted"
    assert len(before.marker.holders) == 1, "a record that others hold too is not deleted"


def check_links(zones: Zones, record: ConnectionRecord, others: tuple[Endpoint, ...], step: DnsRemoval) -> None:
    """An endpoint that is still there keeps the link of its network, and its address in the record."""
    for other in others:
        for zone in zones:
            if zone.id.key == step.zone.key and isinstance(step, DeleteLink):
                assert step.vnet_id.lower() != other.vnet_id.lower(), "another endpoint uses the link"
    if isinstance(step, WithdrawAddress):
        assert step.record.marker.holder(record.id) is None
