"""Advice: what a person should know about a connection though nothing is wrong, or not with it, or not yet. Pure.

`plan` finds what the Elastic Cloud API tells, `diagnosis` adds what the networks tell. Advice makes no
condition False and sends no alert; it stands beside the verdict, with a next step of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.model.conditions import MOST_ABOUT, Condition, Explanation, listed
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import (
    POLICY_TYPE,
    ConnectionStatus,
    Endpoint,
    Listing,
    Policy,
    Target,
    id_of,
    policies_admitting,
)
from shared.core.model.services import Family
from shared.core.planning.desired import Desired
from shared.core.reasons import explain

KEY_WARNING = timedelta(days=14)
"""How long before its end an API key is spoken of; the alert of the templates has the same time."""


def policy_advice(desired: Desired, policies: Collection[Policy], used: str) -> tuple[Explanation, ...]:
    """About policies besides the one in use; `policies` are those of every region."""
    if not policies:
        return ()
    guid, region = desired.endpoint.guid, desired.service.elastic_region
    ours = [policy for policy in policies_admitting(guid, policies) if policy.id != used]
    found = (
        _duplicated([policy for policy in ours if policy.region == region]),
        _elsewhere([policy for policy in ours if policy.region != region], region),
        _mistyped(desired, policies, used),
    )
    return tuple(advice for advice in found if advice is not None)


def _duplicated(policies: list[Policy]) -> Explanation | None:
    if not policies:
        return None
    return explain(
        Reason.POLICY_DUPLICATED,
        f"Further policies let this endpoint in: {_named(policies)}. They are not used, and admit it wherever they are "
        "associated.",
        "",
        *_about(policies),
    )


def _elsewhere(policies: list[Policy], region: str) -> Explanation | None:
    if not policies:
        return None
    return explain(
        Reason.POLICY_IN_ANOTHER_REGION,
        f"A policy with this endpoint's GUID is in another region: {_named(policies)}. It does nothing there: the "
        f"endpoint leads to {region}.",
        "",
        *_about(policies),
    )


def _mistyped(desired: Desired, policies: Collection[Policy], used: str) -> Explanation | None:
    """Only while the approval is awaited, and only policies of people: many endpoints may have one name."""
    if desired.endpoint.status is not ConnectionStatus.PENDING:
        return None
    name = desired.endpoint.name
    right = policies_admitting(desired.endpoint.guid, policies)
    named = Listing.of(policies).where(_named_by_people, name)
    meant = [policy for policy in named if policy.id != used and policy not in right]
    if not meant:
        return None
    return explain(
        Reason.POLICY_GUID_MISMATCH,
        f"A policy names {name} with another GUID: {_named(meant)}. If it was meant for this endpoint it approves "
        f"nothing: Elastic wants exactly {desired.endpoint.guid}.",
        "",
        *_about(meant),
    )


def _named_by_people(policy: Policy) -> list[str]:
    """The endpoints' names in a policy that the app did not make."""
    named = policy.type == POLICY_TYPE and policy.marker is None
    return [rule.endpoint_name for rule in policy.rules] if named else []


def with_misspelt(condition: Condition, endpoint: Endpoint, policies: Collection[Policy]) -> Condition:
    """An overdue approval, with the policies that have the endpoint's GUID in other letters' case."""
    if condition.reason is not Reason.APPROVAL_OVERDUE:
        return condition
    found = [
        policy
        for policy in policies_admitting(endpoint.guid, policies)
        if endpoint.guid not in {rule.endpoint_guid for rule in policy.rules}
    ]
    if not found:
        return condition
    message = (
        f"{condition.message} Policy {_named(found)} has the same GUID in another letter case, which Elastic may take "
        "for another endpoint's."
    )
    step = f"Correct the GUID in policy {_named(found)} to exactly {endpoint.guid}, or delete it."
    about = tuple(tuple(one.items()) for one in _about(found)[:MOST_ABOUT])
    told = replace(condition.explanation, message=message, next_step=step, about=about)
    return replace(condition, explanation=told)


def _named(policies: Iterable[Policy]) -> str:
    return listed(f"{policy.id} ({policy.name}, {policy.region})" for policy in sorted(policies, key=_by_id))


def _about(policies: Iterable[Policy]) -> list[dict[str, str]]:
    return [{"policy id": policy.id} for policy in sorted(policies, key=_by_id)]


def _by_id(policy: Policy) -> str:
    return policy.id


def sign_in_advice(
    targets: Collection[Target], served: Collection[str], types: Mapping[str, str], before: Collection[Explanation]
) -> Explanation | None:
    """Deployments that only private connection policies protect: the console's sign-in comes over the internet.

    The console's sign-in to a Serverless project works all the same.

    Where the policies of one are not known, what was said `before` is said again.
    """
    found = Listing.of(targets).among(id_of, served)
    reached = [one for one in found if one.running and one.family is Family.HOSTED]
    attached = [(target.name, target.attached) for target in reached]
    if any(policy_ids is None for _, policy_ids in attached):
        return next((advice for advice in before if advice.reason is Reason.CONSOLE_SIGN_IN_AFFECTED), None)
    # A policy that is not listed may well be an IP policy: nothing is claimed then.
    shut = [name for name, ids in attached if not any(types.get(one, "ip") == "ip" for one in ids or ())]
    if not shut:
        return None
    return explain(
        Reason.CONSOLE_SIGN_IN_AFFECTED,
        f"No IP policy is associated with {listed(sorted(shut))}: opening Kibana out of the Elastic Cloud console "
        "fails (Invalid SAML request), as does all other traffic from the internet. Signing in by Kibana's private URL "
        "works.",
    )


def key_advice(expires: datetime | None, now: datetime) -> Explanation | None:
    """The Elastic Cloud API key ends soon; None: it does not, or its end is not known."""
    if expires is None or expires - now > KEY_WARNING:
        return None
    return explain(
        Reason.ELASTIC_KEY_EXPIRING,
        f"The Elastic Cloud API key ends on {expires:%Y-%m-%d}. Connections go on working; the app can make and repair "
        "none after that.",
    )


def network_advice(connection: ConnectionRecord) -> Explanation | None:
    """Who answers the endpoint's clients for names is not known, or not of each of their name servers."""
    found = connection.dns.resolution
    if found is None or found.complete:
        return None
    network = connection.identity.vnet_id
    if not found.read:
        return explain(
            Reason.CUSTOM_DNS_SERVERS,
            f"Which name servers virtual network {network} asks is not known: the app cannot read it. If it has its "
            "own, these decide whether clients find the private endpoint.",
            f"Give the app Microsoft.Network/virtualNetworks/read on {network}.",
        )
    return explain(
        Reason.CUSTOM_DNS_SERVERS,
        f"Virtual network {network} asks its own name servers, of which {', '.join(found.unknown)} is in no network "
        "that the app can read: it cannot tell what clients are answered there.",
    )
