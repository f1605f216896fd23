"""Who says what a name leads to: the zone's records, or the app's resolver where the zone serves the app's network."""

from __future__ import annotations

import pytest

from local.world import HUB_VNET
from shared.core.diagnosis import diagnosis_of
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import NetworkMemory, ResolvedBy
from shared.core.model.resources import NamedRecords, NameResolution
from shared.health.check import CheckResult, check
from tests.harness.dns import APPS, ZONE
from tests.harness.estate import Estate

HUB, SPOKE = HUB_VNET.lower(), APPS.lower()
OWN_DNS = NameResolution((APPS,))


async def looked_at(estate: Estate) -> ConnectionRecord:
    """A connection whose clients ask Azure's name server, with the endpoint's and the app's network linked."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    return (await estate.ready(endpoint)).with_dns(resolution=OWN_DNS, linked=(SPOKE, HUB)).with_health(network=None)


def remembering(estate: Estate, record: ConnectionRecord, *answered_by: str, known: bool = True) -> ConnectionRecord:
    """The record with what was read of the app's network: the networks that answer it."""
    memory = NetworkMemory(APPS, estate.clock.now(), app_network=HUB, app_answered_by=answered_by if known else None)
    return record.with_health(network=memory)


async def result_of(estate: Estate, record: ConnectionRecord) -> CheckResult:
    return await check(estate.worker.context, record, ZONE)


def sources(result: CheckResult) -> set[ResolvedBy]:
    return {one.resolved_by for one in result.verdicts}


async def test_the_zones_records_are_believed_and_no_resolver_is_asked_until_the_apps_network_is_known(
    estate: Estate,
) -> None:
    record = await looked_at(estate)
    estate.network.settings.resolvers = {HUB_VNET: "servfail"}
    for unknown in (record, remembering(estate, record, known=False)):
        found = await result_of(estate, unknown)
        assert (found.condition.reason, sources(found)) == ("Reachable", {ResolvedBy.ZONE})
        assert found.verdicts[0].addresses == (record.identity.address,)


@pytest.mark.parametrize(
    ("answering", "linked", "source"),
    [
        ((HUB_VNET,), (SPOKE, HUB), "resolver"),
        ((HUB_VNET,), (SPOKE,), "zone"),
        ((HUB_VNET, "/elsewhere"), (SPOKE, HUB), "zone"),
        ((APPS,), (SPOKE,), "resolver"),
        ((), (SPOKE, HUB), "zone"),
    ],
)
async def test_the_app_resolves_where_every_network_that_answers_it_is_linked(
    estate: Estate, answering: tuple[str, ...], linked: tuple[str, ...], source: str
) -> None:
    record = remembering(estate, (await looked_at(estate)).with_dns(linked=linked), *answering)
    assert sources(await result_of(estate, record)) == {ResolvedBy(source)}


async def test_an_app_that_does_not_know_its_network_or_was_moved_believes_the_zone(estate: Estate) -> None:
    record = remembering(estate, await looked_at(estate), HUB_VNET)
    for app in ("", APPS.replace("apps", "other") + "-2"):
        estate.worker = estate.new_worker(APP_VNET=app)
        assert sources(await result_of(estate, record)) == {ResolvedBy.ZONE}


async def test_an_app_in_the_endpoints_own_network_sees_what_its_clients_see_without_a_read() -> None:
    estate = await Estate(app_vnet=APPS).open()
    record = await looked_at(estate)
    before = len(estate.arm.requests)
    for resolution, linked, source in (
        (OWN_DNS, (SPOKE,), ResolvedBy.RESOLVER),
        (OWN_DNS, (), ResolvedBy.ZONE),
        (NameResolution((HUB_VNET,), ("10.0.0.9",)), (SPOKE,), ResolvedBy.ZONE),
        (NameResolution((APPS,), ("10.0.0.9",), unknown=("10.0.0.9",)), (SPOKE,), ResolvedBy.ZONE),
    ):
        assert sources(await result_of(estate, record.with_dns(resolution=resolution, linked=linked))) == {source}
    assert len(estate.arm.requests) == before


async def test_a_name_that_hides_the_wildcard_is_found_by_the_zone_alone(estate: Estate) -> None:
    record = (await looked_at(estate)).with_dns(names=(NamedRecords("neighbour.es", ("10.9.9.9",)),))
    found = await result_of(estate, record)
    last = {one.host.split(".")[1]: one.reason for one in found.verdicts}
    assert last["es"] == "NameNotFound"
    assert set(last.values()) == {"NameNotFound", "Reachable"}, "names beside es are still answered"
    assert "es in the zone hides" in found.verdicts[0].message
    assert "by the records of the zone" in found.verdicts[0].message


async def test_an_app_whose_network_is_given_other_name_servers_believes_the_zone_from_that_check_on(
    estate: Estate,
) -> None:
    record = remembering(estate, await looked_at(estate), HUB_VNET)
    network = estate.arm.virtual_network(HUB_VNET)
    assert network is not None
    network.dns_servers = ["10.99.0.53"]
    await estate.clock.sleep(3600)
    found = await result_of(estate, record)
    assert (found.condition.reason, sources(found)) == ("Reachable", {ResolvedBy.ZONE})
    assert found.network is not None
    assert (found.network.app_dns_servers, found.network.app_answered_by) == (("10.99.0.53",), None)


async def test_the_app_resolves_by_itself_once_its_network_was_read(estate: Estate) -> None:
    """The daily read of the endpoint's network is one of the app's, too."""
    record = await looked_at(estate)
    await estate.clock.sleep(2 * 86400)
    first = await result_of(estate, record)
    second = await result_of(estate, first.remembered(record))
    assert (sources(first), sources(second)) == ({ResolvedBy.ZONE}, {ResolvedBy.RESOLVER})


async def test_the_evidence_says_which_of_the_two_it_was(estate: Estate) -> None:
    record = await looked_at(estate)
    for memory, words in ((None, "by the zone's records"), ("hub", "by the app's name server")):
        known = record if memory is None else remembering(estate, record, HUB_VNET)
        found = await result_of(estate, known)
        shown = diagnosis_of(found.remembered(known), found.verdicts).evidence
        assert sum(f"{record.identity.address} {words}" in line for line in shown) == record.health.summary.hosts
