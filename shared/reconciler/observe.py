"""Reading what is there, for one endpoint, with as few calls as possible. Used by `branches`.

Budget of the happy path: `tests/reconciler/test_budget.py`. A zone known from the record is read directly instead of
listing every zone of every subscription; deployments are looked up only once their turn has come.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from shared.context import Context, log
from shared.core.guards.consent import CONNECT_TAG
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import AutopilotError
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Claim, ConnectionStatus, Deployment, Policy, Zone
from shared.core.planning.desired import Desired, zone_subscriptions
from shared.core.planning.elastic import ObservedElastic, deployments_that_matter
from shared.core.ports import PrivateConnections, listed_claims
from shared.correlation import Stage, timed


@timed(Stage.OBSERVE_DNS)
async def observe_dns(context: Context, desired: Desired, record: ConnectionRecord) -> tuple[Zone, ...]:
    """Every zone of the service's name that matters, with links and `*` record."""
    zone = await _known_zone(context, desired, record)
    if zone is not None:
        return (zone,)
    return await context.dns.zones_named(
        [desired.service.zone], zone_subscriptions(desired, context.options), homes=[desired.zone_home]
    )


async def _known_zone(context: Context, desired: Desired, record: ConnectionRecord) -> Zone | None:
    """The recorded zone if it still serves every network; anything else calls for the full look."""
    if record.dns.zone is None or parse_arm_id(record.dns.zone.id).name.lower() != desired.service.zone:
        return None
    zone = await context.dns.zone(parse_arm_id(record.dns.zone.id))
    if zone is None or not all(zone.link_to(v) for v in (desired.endpoint.vnet_id, *desired.link_vnets)):
        return None
    return replace(zone, marker=desired.marker if record.dns.zone.owner is Owner.OURS else None)


@timed(Stage.OBSERVE_ELASTIC)
async def observe_elastic(
    context: Context, desired: Desired, record: ConnectionRecord
) -> tuple[ObservedElastic, AutopilotError | None]:
    """All policies, the region's claims if they matter, and, once approved, the deployments that matter.

    Deployments that cannot be read come back as the error; the policy does not wait for them.
    """
    api = context.elastic.of(desired.organization)
    policies, claims = await asyncio.gather(
        _policies(context, desired, record), _claims(context, desired, record), return_exceptions=True
    )
    if isinstance(policies, BaseException):
        raise policies
    if isinstance(claims, BaseException):
        raise claims
    observed = ObservedElastic(policies, None, claims, api.key_expires)
    if desired.endpoint.status is not ConnectionStatus.APPROVED:
        return observed, None
    try:
        deployments = await _deployments(api, deployments_that_matter(desired, policies, record))
    except AutopilotError as error:
        return observed, error
    return replace(observed, deployments=deployments), None


async def _claims(context: Context, desired: Desired, record: ConnectionRecord) -> tuple[Claim, ...] | None:
    if not desired.claim and record.elastic.claim is None:
        return None
    return await listed_claims(context.elastic.of(desired.organization), desired.service.elastic_region)


async def _policies(context: Context, desired: Desired, record: ConnectionRecord) -> tuple[Policy, ...]:
    """Every policy: also those in a wrong region are worth knowing of, and one call answers all of an organization's.

    The one in use is looked for by its id before one short listing makes it missing.
    """
    api = context.elastic.of(desired.organization)
    listed = await api.policies()
    used = record.elastic.policy.id if record.identity.guid.lower() == desired.endpoint.guid.lower() else ""
    if not used or any(policy.id == used for policy in listed):
        return listed
    found = await api.policy(used)
    return listed if found is None else (*listed, found)


async def _deployments(api: PrivateConnections, matter: tuple[str, ...]) -> tuple[Deployment, ...]:
    """These, and those whose own tag asks for endpoints, in one search."""
    found = await api.targets(matter, tag=CONNECT_TAG)
    return tuple(await asyncio.gather(*(with_attached(api, deployment) for deployment in found)))


async def with_attached(api: PrivateConnections, deployment: Deployment) -> Deployment:
    """The search leaves a deployment's settings out at times; then its policies are asked for by themselves."""
    if deployment.attached is not None or not deployment.running:
        return deployment
    try:
        return replace(deployment, attached=await api.attached_to(deployment.id))
    except AutopilotError as error:
        # Unknown stays unknown: S1 then blocks this deployment, and only this one.
        log.warning("policies of deployment %s not read: %s", deployment.id, error)
        return deployment
