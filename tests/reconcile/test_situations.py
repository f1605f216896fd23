"""Every situation that the diagnosis must tell, set up in the local clouds as it comes about: a row of the table each.

A row is a function that makes the situation and returns the endpoint; what the diagnosis must say stands beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from local.arm import FaultResponse
from local.elastic.deployments import Deployment
from local.network.data_plane import Dial
from local.world import HUB_VNET
from shared.core.connection import Advice, Connection
from shared.core.diagnosis import Diagnosis, diagnosis_of
from shared.core.reasons import catalogue
from tests.harness.dns import APPS, DNS_API, OTHER_SUBSCRIPTION, ZONE, a_zone_of_others, zone_id
from tests.harness.estate import Estate, arm_error

Setup = Callable[[Estate], Awaitable[str]]


@dataclass(frozen=True)
class Situation:
    """A row: how it comes about, what is said of it, and words that cause and next step must have."""

    make: Setup
    status: str
    reason: str
    hop: str
    cause: str = ""
    step: str = ""
    settings: tuple[tuple[str, str], ...] = ()


SITUATIONS: dict[str, Situation] = {}
ADVICE: dict[str, tuple[Setup, str, str, str]] = {}


def diagnosed(name: str, verdict: str, *, cause: str = "", step: str = "", **settings: str) -> Callable[[Setup], Setup]:
    """Put a situation into the table; `verdict` is status, reason and hop."""
    status, reason, hop = verdict.split()

    def register(make: Setup) -> Setup:
        SITUATIONS[name] = Situation(make, status, reason, hop, cause, step, tuple(settings.items()))
        return make

    return register


def advised(name: str, reason: str, message: str, step: str) -> Callable[[Setup], Setup]:
    """Put a situation into the table of those that are no fault, or not yet."""

    def register(make: Setup) -> Setup:
        ADVICE[name] = (make, reason, message, step)
        return make

    return register


# -- what people do ------------------------------------------------------------------------------------------------


async def made(estate: Estate, **options: Any) -> str:
    """An endpoint, and all that comes of it in half an hour."""
    endpoint = await estate.put_endpoint(**options)
    await estate.settle()
    return endpoint


async def ready(estate: Estate, **options: Any) -> str:
    """A connection that works."""
    endpoint = await made(estate, **options)
    await estate.ready(endpoint)
    return endpoint


async def swept(estate: Estate, times: int = 2) -> None:
    """As much time as a changed verdict takes to count."""
    for _ in range(times):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(60)


def the(estate: Estate, name: str = "logs-eastus2") -> Deployment:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == name)


def label(estate: Estate) -> str:
    """The deployment's name inside the zone."""
    return the(estate).private_host("es").removesuffix(f".{ZONE}")


async def a_record(estate: Estate, name: str, address: str) -> None:
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/{name}", body, api=DNS_API)


async def a_link(estate: Estate, method: str = "DELETE") -> None:
    """Take the link to the endpoint's network away."""
    link = next(link for link in estate.links_of(estate.zone()) if link.vnet.id == APPS)
    await estate.azure(method, link.id, api=DNS_API)
    await estate.clock.sleep(10)


def asks_elsewhere(estate: Estate, vnet: str) -> None:
    network = estate.arm.virtual_network(vnet)
    assert network is not None
    network.dns_servers = ["10.99.0.53"]


async def pending(estate: Estate, seconds: float = 60) -> str:
    """An endpoint that nobody approves."""
    estate.elastic_settings.approval_seconds = 10**7
    endpoint = await estate.put_endpoint()
    await estate.settle(seconds)
    return endpoint


def guid_of(estate: Estate, endpoint: str) -> str:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    return found.resource_guid


def a_policy_by_hand(
    estate: Estate, endpoint: str, *, name: str = "pe-1", guid: str = "", region: str = "eastus2"
) -> None:
    rule = {"azure_endpoint_name": name, "azure_endpoint_guid": guid or guid_of(estate, endpoint)}
    estate.elastic._add("by hand", region, "azure_private_endpoint", [rule], [])


def refused(estate: Estate, status: int, code: str) -> None:
    """Elastic Cloud refuses every write."""
    body = {"errors": [{"code": code, "message": "refused by the test"}]}
    estate.elastic_settings.faults.append(
        lambda method, path: (status, body) if method != "GET" and "_search" not in path else None
    )


# -- names ---------------------------------------------------------------------------------------------------------


@diagnosed("the name does not resolve", "unreachable NameNotFound dns", cause="no address", step="168.63.129.16")
async def _no_name(estate: Estate) -> str:
    """A record for a neighbour: below `es` the zone's `*` does not answer any more (RFC 4592)."""
    endpoint = await ready(estate)
    await a_record(estate, "neighbour.es", "10.99.0.4")
    await swept(estate)
    return endpoint


@diagnosed("the name resolves to a public address", "unreachable PublicAddress dns", cause="20.1.2.3", step="* record")
async def _public(estate: Estate) -> str:
    endpoint = await ready(estate)
    await a_record(estate, label(estate), "20.1.2.3")
    await swept(estate)
    return endpoint


@diagnosed("the name resolves to another private address", "unreachable WrongAddress dns", cause="10.99.0.4")
async def _elsewhere(estate: Estate) -> str:
    endpoint = await ready(estate)
    await a_record(estate, label(estate), "10.99.0.4")
    await swept(estate)
    return endpoint


@diagnosed("the zone is not linked to the app's network", "unknown ZoneNotLinkedToApp app", cause=HUB_VNET,
           step="DNS_LINK_VNETS", DNS_LINK_VNETS="")  # fmt: skip
async def _app_not_linked(estate: Estate) -> str:
    return await ready(estate)


@diagnosed("the zone is not linked, and the app may not link it", "blocked AzureRightsMissing network",
           cause="virtualNetworkLinks/write", step="role")  # fmt: skip
async def _not_linked(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm_settings.denied_actions.add("Microsoft.Network/privateDnsZones/virtualNetworkLinks/write")
    await a_link(estate)
    await swept(estate)
    return endpoint


@diagnosed("the app's network has its own DNS servers", "unreachable CustomDnsServers network", cause="10.99.0.53",
           step="168.63.129.16")  # fmt: skip
async def _custom_dns(estate: Estate) -> str:
    endpoint = await ready(estate)
    asks_elsewhere(estate, HUB_VNET)
    await swept(estate)
    return endpoint


@diagnosed("zones overlap", "blocked NetworkLinkedToAnotherZone network", cause="zone", step="read access")
async def _overlap(estate: Estate) -> str:
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    await a_zone_of_others(estate, zone_id("rg-secret", OTHER_SUBSCRIPTION), APPS)
    return await made(estate)


@diagnosed("the record is missing, and nothing is to be changed", "degraded ObserveMode dns", cause="* A record")
async def _no_record(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    estate.worker = estate.new_worker(MODE="observe")
    await swept(estate)
    return endpoint


@diagnosed("the record is somebody else's", "blocked RecordHeldByOthers dns", cause="10.99.0.4", step="Point it")
async def _foreign_record(estate: Estate) -> str:
    await a_zone_of_others(estate, zone_id("rg-apps"), APPS, address="10.99.0.4")
    return await made(estate)


@diagnosed("two endpoints want one record", "blocked RecordHeldByAnotherEndpoint dns", cause="pe-1", step="union")
async def _contested_record(estate: Estate) -> str:
    await ready(estate)
    return await made(estate, name="pe-2")


# -- the endpoint and its approval ---------------------------------------------------------------------------------


@diagnosed("the endpoint has no address", "unknown NoAddressYet endpoint")
async def _no_address(estate: Estate) -> str:
    estate.arm_settings.nic_address_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(120)
    return endpoint


@diagnosed("the endpoint failed", "blocked EndpointFailed endpoint", cause="Failed", step="create it again")
async def _failed(estate: Estate) -> str:
    estate.arm_settings.failing_endpoints["pe-1"] = "SubnetIsFull"
    estate.arm_settings.nic_address_seconds = 10**6
    return await made(estate)


@diagnosed("the approval is awaited", "unknown AwaitingApproval approval")
async def _awaited(estate: Estate) -> str:
    return await pending(estate)


@diagnosed("pending too long", "blocked ApprovalOverdue approval", cause="1 h", step="GUID")
async def _overdue(estate: Estate) -> str:
    return await pending(estate, 7200)


@diagnosed("rejected", "blocked Rejected approval", cause="not one of ours", step="create it again")
async def _rejected(estate: Estate) -> str:
    endpoint = await pending(estate)
    estate.arm.set_connection(endpoint, "Rejected", "not one of ours")
    await swept(estate, 1)
    return endpoint


@diagnosed("disconnected", "blocked Disconnected approval", step="create it again")
async def _disconnected(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm.set_connection(endpoint, "Disconnected")
    await swept(estate, 1)
    return endpoint


@diagnosed("a Serverless alias", "unknown ServerlessService endpoint", cause="Serverless", step="hosted")
async def _serverless(estate: Estate) -> str:
    guid = "46552e7f-8404-48e2-8c79-66801ef74a76"
    return await made(estate, alias=f"eastus2-prod-privatelink-serverless.{guid}.eastus2.azure.privatelinkservice")


@diagnosed("an unknown alias", "unknown UnknownElasticAlias endpoint", cause="no published list", step="guide")
async def _unknown_alias(estate: Estate) -> str:
    guid = "00000000-8404-48e2-8c79-66801ef74a76"
    return await made(estate, alias=f"marsnorth-prod-001-privatelink-service.{guid}.marsnorth.azure.privatelinkservice")


# -- policies ------------------------------------------------------------------------------------------------------


@diagnosed("another name in the policy", "blocked PolicyNameMismatch policy", cause="pe-typo", step="pe-1")
async def _misnamed(estate: Estate) -> str:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(10)
    estate.events.settings.drop = False
    a_policy_by_hand(estate, endpoint, name="pe-typo")
    await estate.send(endpoint)
    await estate.settle()
    return endpoint


@diagnosed("the policy is missing, and the key may not make one", "blocked ElasticRightsMissing policy",
           cause="create the private connection policy", step="Editor")  # fmt: skip
async def _no_policy(estate: Estate) -> str:
    endpoint = await ready(estate)
    (policy,) = estate.policies_of(endpoint)
    estate.elastic._filters.delete(policy.id, ignore_associations=True)
    refused(estate, 403, "root.permission_denied")
    await swept(estate)
    return endpoint


@advised("another GUID in a policy", "PolicyGuidMismatch", "another GUID", "resourceGuid")
async def _other_guid(estate: Estate) -> str:
    estate.elastic_settings.approval_seconds = 10**7
    endpoint = await estate.put_endpoint()
    a_policy_by_hand(estate, endpoint, guid="11111111-2222-3333-4444-555555555555")
    await estate.settle(60)
    return endpoint


@advised("a second policy", "PolicyDuplicated", "by hand", "Delete")
async def _duplicate(estate: Estate) -> str:
    endpoint = await ready(estate)
    a_policy_by_hand(estate, endpoint)
    await swept(estate, 1)
    return endpoint


@advised("a policy in the wrong region", "PolicyInAnotherRegion", "azure-westeurope", "Delete")
async def _wrong_region(estate: Estate) -> str:
    endpoint = await ready(estate)
    a_policy_by_hand(estate, endpoint, region="westeurope")
    await swept(estate, 1)
    return endpoint


@advised("no IP policy beside the private one", "ConsoleSignInAffected", "search-eastus2", "IP policy")
async def _console(estate: Estate) -> str:
    estate.worker = estate.new_worker(ELASTIC_FIRST_POLICY_ALLOWED="search-eastus2")
    return await ready(estate, tags={"elastic-deployments": "search-eastus2"})


# -- way, TLS, answers ---------------------------------------------------------------------------------------------


@diagnosed("silence although Approved", "unreachable NoRouteAlthoughApproved endpoint", cause="reached it before",
           step="firewalls")  # fmt: skip
async def _silence(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.network.broken.add((await estate.connection(endpoint)).address)
    await swept(estate)
    return endpoint


@diagnosed("no route from the app", "unknown NoRouteFromApp app", cause=APPS, step="peer the network")
async def _no_route_from_app(estate: Estate) -> str:
    await estate.peer(HUB_VNET, APPS, connected=False)
    return await ready(estate)


@diagnosed("a certificate for other names", "unreachable CertificateMismatch dns", cause="westeurope", step="region")
async def _certificate(estate: Estate) -> str:
    """Something else answers at the endpoint's address, with a certificate of its own."""
    endpoint = await ready(estate)
    dial = estate.network._plane.dial

    class Elsewhere(Dial):
        def certificate_names(self, _sni: str | None = None) -> list[str]:
            return ["*.privatelink.westeurope.azure.elastic-cloud.com"]

    def other(address: str, port: int, **options: Any) -> Dial | None:
        found = dial(address, port, **options)
        return None if found is None else Elsewhere(found.plane, found.endpoint_id, found.guid, found.zone)

    estate.network._plane.dial = other  # type: ignore[method-assign] # the thing in between
    await swept(estate)
    return endpoint


@diagnosed("403 although the policy is associated", "blocked ForbiddenByPolicy policy", step="GUID")
async def _forbidden(estate: Estate) -> str:
    """Elastic Cloud lists the association, its proxy does not have it."""
    endpoint = await ready(estate)
    attached = estate.elastic._proxy._filters.attached
    (policy,) = estate.policies_of(endpoint)
    estate.elastic._proxy._filters.attached = (  # type: ignore[method-assign] # the proxy that lags behind
        lambda deployment_id: [one for one in attached(deployment_id) if one.id != policy.id]
    )
    await swept(estate)
    return endpoint


@diagnosed("a name that the proxy does not know", "unreachable UnknownResource deployment", step="alias")
async def _unknown_name(estate: Estate) -> str:
    """The alias leads nowhere at the proxy, while the API still shows it."""
    endpoint = await ready(estate)
    estate.elastic._proxy._target = lambda *_, **__: None  # type: ignore[method-assign] # a proxy that lags behind
    await swept(estate)
    return endpoint


@diagnosed("the alias was changed", "healthy Reachable none")
async def _renamed(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic._book.set_alias(the(estate), "renamed")
    await swept(estate, 1)
    return endpoint


@diagnosed("Kibana alone is down", "degraded ServiceError deployment", cause="Kibana", step="Kibana")
async def _kibana(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).unwell.add("kb")
    await swept(estate)
    return endpoint


# -- deployments ---------------------------------------------------------------------------------------------------


@diagnosed("the deployment is stopped", "blocked DeploymentNotRunning deployment", step="Start it")
async def _stopped(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).status = "stopped"
    await swept(estate, 1)
    return endpoint


@diagnosed("the deployment is gone", "blocked DeploymentNotFound deployment", cause="logs-eastus2", step="tag")
async def _gone(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic.remove_deployment(the(estate).id)
    await swept(estate, 1)
    return endpoint


@diagnosed("the first policy of an open deployment", "blocked WouldCutOffPublicTraffic deployment", cause="no policy",
           step="elastic-privatelink-first-policy")  # fmt: skip
async def _first_policy(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": "search-eastus2"})


# -- rights, keys, limits ------------------------------------------------------------------------------------------


@diagnosed("the Elastic API key is invalid", "blocked ElasticKeyRefused policy", step="ELASTIC_API_KEY")
async def _key_ended(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.clock.sleep(300)
    await estate.send(endpoint)
    await estate.settle(60)
    return endpoint


@diagnosed("the Elastic API key lacks rights", "blocked ElasticRightsMissing policy", cause="may not", step="Editor")
async def _key_rights(estate: Estate) -> str:
    refused(estate, 403, "root.permission_denied")
    return await made(estate)


@advised("the Elastic API key ends soon", "ElasticKeyExpiring", "2026-01-1", "ELASTIC_API_KEY")
async def _key_ends(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=10)
    await swept(estate, 1)
    await swept(estate, 1)
    return endpoint


@diagnosed("a right in Azure is missing", "blocked AzureRightsMissing dns",
           cause="Microsoft.Network/privateDnsZones/write on /subscriptions", step="role")  # fmt: skip
async def _azure_rights(estate: Estate) -> str:
    estate.arm_settings.denied_actions.add("Microsoft.Network/privateDnsZones/write")
    return await made(estate)


@diagnosed("throttled", "unknown Throttled dns", cause="TooManyRequests")
async def _throttled(estate: Estate) -> str:
    def slow_down(request: Any) -> FaultResponse | None:
        dns = "privatednszones" in request.path.lower()
        return arm_error(429, "TooManyRequests", **{"Retry-After": "600"}) if dns else None

    estate.arm.faults.append(slow_down)
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    return endpoint


# -- the tests -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SITUATIONS)
async def test_each_situation_is_told_by_its_own_reason_with_cause_next_step_and_place(name: str) -> None:
    expected = SITUATIONS[name]
    estate = await Estate(settings=dict(expected.settings)).open()
    connection = await estate.connection(await expected.make(estate))
    found = diagnosis_of(connection)
    shown = "\n".join(found.evidence)
    assert told_as(found) == (expected.status, expected.reason, expected.hop), shown
    assert expected.cause in found.cause
    assert expected.step in found.next_step
    assert_presentable(found, connection)


def told_as(found: Diagnosis) -> tuple[str, str, str]:
    return found.status, found.reason, str(found.hop or "none")


def assert_presentable(found: Diagnosis, connection: Connection) -> None:
    assert found.cause
    assert found.since is not None
    assert len(found.evidence) >= len(connection.conditions)
    needs_a_person = bool(catalogue()[found.reason].fix) and not catalogue()[found.reason].fix.startswith("None")
    if found.status in {"blocked", "unreachable"}:
        assert needs_a_person
        assert found.next_step


@pytest.mark.parametrize("name", ADVICE)
async def test_each_thing_worth_knowing_is_told_though_nothing_is_wrong(name: str) -> None:
    make, reason, message, step = ADVICE[name]
    estate = await Estate().open()
    endpoint = await make(estate)
    given = await advice_of(estate, endpoint)
    assert set(given) == {reason}
    assert message in given[reason].message
    assert step in given[reason].next_step
    before = len(estate.queue.messages)
    await estate.sweep()
    assert len(estate.queue.messages) == before, "told once, it is no reason to look again and again"


async def advice_of(estate: Estate, endpoint: str) -> dict[str, Advice]:
    found = diagnosis_of(await estate.connection(endpoint))
    return {one.reason: one for one in found.advice}


async def test_the_policy_of_another_endpoint_of_the_same_name_is_nothing_to_speak_of() -> None:
    estate = await Estate().open()
    endpoint = await ready(estate)
    a_policy_by_hand(estate, endpoint, guid="11111111-2222-3333-4444-555555555555")
    await swept(estate, 1)
    assert await advice_of(estate, endpoint) == {}


async def test_advice_that_does_not_hold_any_more_is_taken_back() -> None:
    estate = await Estate().open()
    endpoint = await _duplicate(estate)
    extra = next(policy for policy in estate.policies_of(endpoint) if policy.name == "by hand")
    estate.elastic._filters.delete(extra.id, ignore_associations=False)
    await swept(estate, 1)
    assert await advice_of(estate, endpoint) == {}


@pytest.mark.parametrize("settings_absent", [False, True])
async def test_an_ip_policy_puts_the_console_right_and_what_is_not_known_changes_nothing(settings_absent: bool) -> None:
    estate = await Estate().open()
    endpoint = await _console(estate)
    estate.elastic_settings.settings_absent = settings_absent
    for _ in range(2):
        assert (await estate.sweep()).enqueued == 0
    estate.elastic.add_policy("office", "eastus2", deployments=[the(estate, "search-eastus2").id])
    await estate.send(endpoint)
    await estate.settle()
    assert await advice_of(estate, endpoint) == {}


async def test_own_dns_servers_of_the_endpoints_network_are_told_within_a_day_though_the_app_sees_no_harm() -> None:
    estate = await Estate().open()
    endpoint = await ready(estate)
    asks_elsewhere(estate, APPS)
    for _ in range(25):
        await estate.clock.sleep(3600)
        await estate.sweep()
    await estate.ready(endpoint)
    (told,) = (await advice_of(estate, endpoint)).values()
    assert (told.reason, "10.99.0.53" in told.message) == ("CustomDnsServers", True)


@pytest.mark.parametrize(
    ("deployment", "answer", "reason"),
    [
        ("search-eastus2", 200, "Reachable"),
        ("search-eastus2", 403, "NotAssociated"),
        ("logs-eastus2", 200, "OnlyOtherPolicies"),
    ],
)
async def test_what_a_deployment_says_that_is_only_asked_for_is_found_out_and_counts_for_nothing(
    deployment: str, answer: Any, reason: str
) -> None:
    """Elastic's documents disagree on whether an open deployment lets in an endpoint whose policy is not associated."""
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": "search-eastus2"}).open()
    estate.elastic_settings.unassociated_unfiltered_answer = answer
    endpoint = await made(estate, tags={"elastic-deployments": deployment})
    connection = await estate.connection(endpoint)
    asked = {check.host: check.reason for check in connection.checks if not check.associated}
    assert asked == {the(estate, deployment).private_host("es"): reason}
    reachable = connection.condition("Reachable")
    assert reachable is not None
    assert (reachable.true, reachable.reason) == (True, "PathWorks")
    assert diagnosis_of(connection).hop == "deployment"
