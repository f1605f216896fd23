"""Situations on Elastic's side: policies, the way, TLS and answers, deployments. Rows for `test_situations`."""

from __future__ import annotations

from datetime import timedelta

from local.elastic.deployments import PRODUCTS
from local.world import HUB_VNET
from tests.harness.dns import APPS
from tests.harness.estate import Estate
from tests.reconciler.situations import (
    a_policy_by_hand,
    advised,
    diagnosed,
    made,
    ready,
    refused,
    swept,
    the,
)

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
    await estate.clock.sleep(3600)  # one that was just made could merely not show yet
    estate.elastic.delete_policy(policy.id)
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
async def a_second_policy(estate: Estate) -> str:
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
async def no_ip_policy(estate: Estate) -> str:
    estate.worker = estate.new_worker(ELASTIC_FIRST_POLICY_ALLOWED="search-eastus2")
    return await ready(estate, tags={"elastic-deployments": "search-eastus2"})


# -- way, TLS, answers ---------------------------------------------------------------------------------------------


@diagnosed("silence although Approved", "unreachable NoRouteAlthoughApproved endpoint", cause="reached it before",
           step="firewalls")  # fmt: skip
async def _silence(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.network.broken.add((await estate.connection(endpoint)).identity.address)
    await swept(estate)
    return endpoint


@diagnosed("no route from the app", "unknown NoRouteFromApp app", cause=APPS, step=f"Peer {HUB_VNET}")
async def _no_route_from_app(estate: Estate) -> str:
    await estate.peer(HUB_VNET, APPS, connected=False)
    return await ready(estate)


@diagnosed("a firewall that refuses the app", "unknown RefusedOnTheWay app", cause=HUB_VNET, step="Allow port 9243")
async def _refused_on_the_way(estate: Estate) -> str:
    estate.network.settings.firewalls = {APPS: {HUB_VNET: "refuse"}}
    return await ready(estate)


@diagnosed("a certificate for other names", "unreachable CertificateMismatch dns", cause="westeurope", step="region")
async def _certificate(estate: Estate) -> str:
    """Something else answers at the endpoint's address, with a certificate of its own."""
    endpoint = await ready(estate)
    elsewhere = ["*.privatelink.westeurope.azure.elastic-cloud.com"]
    estate.network.intercepted[(await estate.connection(endpoint)).identity.address] = elsewhere
    await swept(estate)
    return endpoint


@diagnosed("403 although the policy is associated", "blocked ForbiddenByPolicy policy", step="GUID")
async def _forbidden(estate: Estate) -> str:
    """Elastic Cloud lists the association, its proxy does not have it."""
    endpoint = await ready(estate)
    (policy,) = estate.policies_of(endpoint)
    estate.elastic_settings.proxy_missing_policies.add(policy.id)
    await swept(estate)
    return endpoint


@diagnosed("a name that the proxy does not know", "unreachable UnknownResource target", step="alias")
async def _unknown_name(estate: Estate) -> str:
    """The alias leads nowhere at the proxy, while the API still shows it."""
    endpoint = await ready(estate)
    found = the(estate)
    estate.elastic_settings.proxy_unknown_hosts.update(found.private_host(product) for product in PRODUCTS)
    zone = found.private_host("es").partition(".es.")[2]
    public = zone.removeprefix("privatelink.")
    by_id = (found.uuid_host(product).removesuffix(public) + zone for product in PRODUCTS)
    estate.elastic_settings.proxy_unknown_hosts.update(by_id)
    await swept(estate)
    return endpoint


@diagnosed("an alias that the proxy does not know", "degraded AliasNotServed target", cause="Fleet Server answers at",
           step="Use https://")  # fmt: skip
async def _unknown_alias(estate: Estate) -> str:
    """Elasticsearch answers by the same alias, and Fleet Server by its id."""
    endpoint = await ready(estate)
    estate.elastic_settings.proxy_unknown_aliases.add("fleet")
    await swept(estate)
    return endpoint


@diagnosed("the deployment is being changed", "degraded DeploymentChanging target", cause="reconfiguring",
           step="Wait")  # fmt: skip
async def _reconfiguring(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).status = "reconfiguring"
    await swept(estate)
    return endpoint


@diagnosed("the alias was changed", "healthy Reachable none")
async def _renamed(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic.set_alias(the(estate), "renamed")
    await swept(estate, 1)
    return endpoint


@diagnosed("Kibana alone is down", "degraded ServiceError target", cause="Kibana", step="Kibana")
async def _kibana(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).unwell.add("kb")
    await swept(estate)
    return endpoint


# -- deployments ---------------------------------------------------------------------------------------------------


@diagnosed("the deployment is stopped", "blocked DeploymentNotRunning target", step="Start it")
async def _stopped(estate: Estate) -> str:
    endpoint = await ready(estate)
    the(estate).status = "stopped"
    await swept(estate, 1)
    return endpoint


@diagnosed("the deployment is gone", "blocked DeploymentNotFound target", cause="logs-eastus2", step="tag")
async def _gone(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic.remove_deployment(the(estate).id)
    await swept(estate, 1)
    return endpoint


@diagnosed("the first policy of an open deployment", "blocked WouldCutOffPublicTraffic target", cause="no policy",
           step="elastic-privatelink-first-policy")  # fmt: skip
async def _first_policy(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": "search-eastus2"})


# -- the key -------------------------------------------------------------------------------------------------------


@diagnosed("the Elastic API key is invalid", "blocked ElasticKeyRefused policy", step="EC_API_KEY")
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


@advised("the Elastic API key ends soon", "ElasticKeyExpiring", "2026-01-1", "EC_API_KEY")
async def _key_ends(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=10)
    await swept(estate, 1)
    await swept(estate, 1)
    return endpoint
