"""What Azure refuses for good, each kind with its own reason and next step. Pure; used by `errors`.

Each quotes what Azure names: the lock's scope, the policy and its assignment, the deny assignment, the tenant. That is
taken out of the whole answer, before anything of it is cut. A role is advised only where one helps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from shared.clouds.refusal_text import refusal_text
from shared.core.model.conditions import Explanation
from shared.core.model.json_values import mapping, mappings, text
from shared.core.model.reasons import Reason
from shared.core.reasons import explain

_ID = r"'(?P<{}>[^']{{1,400}})'"
_DENIED = re.compile(
    r"not have (?:authorization|permission) to perform action(?:\(s\))? "
    rf"{_ID.format('action')} (?:over scope|on the linked scope\(s\)) {_ID.format('scope')}"
)
_LOCKED = re.compile(
    r"cannot perform (?P<verb>\w+) operation because following scope\(s\) are locked: '(?P<scopes>[^']+)'"
)
_DENY_ASSIGNMENT = re.compile(
    rf"perform action {_ID.format('action')}.{{0,800}}?deny assignment with name '(?P<name>.{{1,400}})' and Id '[^']*' "
    rf"at scope {_ID.format('scope')}",
    re.DOTALL,
)
_LINKED_TENANT = re.compile(
    rf"current tenant {_ID.format('ours')} is not authorized to access linked subscription {_ID.format('subscription')}"
)
_ISSUER = re.compile(r"must match (?:one of )?the tenants? '(?:https://sts\.windows\.net/)?(?P<theirs>[^'/]{1,80})")
_OWN_ISSUER = re.compile(r"wrong issuer '(?:https://sts\.windows\.net/)?(?P<ours>[^'/]{1,80})")
_POLICIES = re.compile(r"Policy identifiers: '(?P<json>\[.*\])'", re.DOTALL)
_REASONS = re.compile(r"Reasons: '(?P<said>.{1,600}?)'\. See error details", re.DOTALL)
_SUBSCRIPTION = re.compile(r"subscription '(?P<subscription>[^']{1,80})'", re.IGNORECASE)
_NAMESPACE = re.compile(r"namespace '(?P<namespace>[\w.]{1,100})'")
_GROUP = re.compile(r"resource group '(?P<group>[^']{1,100})'", re.IGNORECASE)
_IDENTITY = re.compile(r"resource identity .{0,500}?already in use", re.IGNORECASE | re.DOTALL)
_OVERLAP = "overlapping namespace"
_IN_GROUP = re.compile(r"/resourceGroups/(?P<group>[^/]{1,100})", re.IGNORECASE)
_IN_URL = re.compile(r"/subscriptions/(?P<subscription>[^/]{1,80})", re.IGNORECASE)
_MOST_POLICIES = 3
LONGEST_READ = 8_000
"""Characters of Azure's text that are looked through for names."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of Azure that is no success, before it is known what it means."""

    status: int
    code: str
    message: str
    doing: str
    on: str
    details: tuple[Mapping[str, str], ...] = ()
    """What stands in its `additionalInfo`: Azure Policy says there which assignment it was."""

    @property
    def subscription(self) -> str:
        """The subscription that it is about, as far as the resource's id tells."""
        found = _IN_URL.match(self.on)
        return found["subscription"] if found else ""


def read_refusal(
    status: int, code: object, message: object, doing: str, on: str, details: Iterable[object] = ()
) -> Refusal:
    """A refusal whose texts may stand in a record and in a log: one line, and none of our tokens."""
    infos = tuple({name: _plain(value) for name, value in mapping(one).items()} for one in details)
    return Refusal(
        status, refusal_text(code, longest=100), refusal_text(message, longest=LONGEST_READ), doing, on, infos
    )


def _plain(value: object) -> str:
    return refusal_text(value, longest=400)


def lasting_refusal(refusal: Refusal) -> Explanation | None:
    """Why it stays refused until a person acts; None: it is none of these."""
    by_code = _BY_CODE.get(refusal.code.lower())
    if by_code is not None:
        return by_code(refusal)
    if _IDENTITY.search(refusal.message):
        return _identity_in_use(refusal)
    if refusal.status == HTTPStatus.UNAUTHORIZED and _ISSUER.search(refusal.message):
        return _wrong_tenant(refusal)
    if _OVERLAP in refusal.message.lower():
        linked = "The network is already linked to another private DNS zone of this name, which this app cannot see."
        step = (
            "Give the app read access to that zone and name its subscription in DNS_SUBSCRIPTIONS, so that it can be "
            "used; or remove the other link."
        )
        return explain(Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, linked, step)
    return None


def missing_right(refusal: Refusal) -> Explanation:
    """A role is missing; Azure names the action and the scope, as a rule."""
    crossing = _LINKED_TENANT.search(refusal.message)
    if crossing is not None:
        return _other_tenants_network(refusal, crossing["ours"], crossing["subscription"])
    denied = _DENIED.search(refusal.message)
    if denied is None:
        what = f"The app's identity lacks the right to {refusal.doing}: {refusal.message[:400]}"
        return explain(Reason.AZURE_RIGHTS_MISSING, what)
    what = f"The app's identity lacks the right {denied['action']} on {denied['scope']}."
    step = f"Assign a role that includes {denied['action']} at that scope."
    return explain(Reason.AZURE_RIGHTS_MISSING, what, step, {"scope": denied["scope"]})


# -- each kind -----------------------------------------------------------------------------------------------------


def _locked(refusal: Refusal) -> Explanation:
    found = _LOCKED.search(refusal.message)
    if found is None:
        return explain(Reason.SCOPE_LOCKED, f"A lock keeps the app from what it was to do: {refusal.doing}.")
    scopes = found["scopes"].replace(",", ", ")
    what = f"A lock at {scopes} allows no {found['verb']}, so the app could not {refusal.doing}."
    step = f"Remove the lock at {scopes} (`az lock list` names it), or let the zone live in another resource group."
    groups = [found["group"] for one in scopes.split(", ") if (found := _IN_GROUP.search(one))]
    return explain(Reason.SCOPE_LOCKED, what, step, *({"group": one} for one in dict.fromkeys(groups)))


def _disallowed(refusal: Refusal) -> Explanation:
    named = list(_violations(refusal.details)) or list(_identifiers(refusal.message))
    said = _REASONS.search(refusal.message)
    why = f' It says: "{said["said"]}".' if said else ""
    if not named:
        return explain(
            Reason.REQUEST_DISALLOWED_BY_POLICY,
            f"An Azure Policy does not let the app {refusal.doing}: {refusal.message[:600]}",
        )
    told = "; ".join(f'"{policy}", assigned as "{name}" ({identity})' for policy, name, identity in named)
    exempt = ", ".join(identity for _, _, identity in named)
    scope = refusal.on.partition(" to ")[0] or "the scope"  # of a link: its zone
    return explain(
        Reason.REQUEST_DISALLOWED_BY_POLICY,
        f"Azure Policy does not let the app {refusal.doing}: {told}.{why}",
        f"Exempt {scope} from the policy assignment {exempt}, use another resource group for "
        "zones, or give RESOURCE_TAGS what the policy asks for.",
    )


def _violations(details: Iterable[Mapping[str, str]]) -> Iterable[tuple[str, str, str]]:
    """Policy, assignment and the assignment's id, each at most once, from the `additionalInfo`."""
    found = {}
    for info in details:
        identity = info.get("policyAssignmentId", "")
        if identity:
            policy = info.get("policyDefinitionDisplayName", "") or info.get("policyDefinitionName", "")
            name = info.get("policyAssignmentDisplayName", "") or info.get("policyAssignmentName", "")
            found[identity] = (policy, name, identity)
    return list(found.values())[:_MOST_POLICIES]


def _identifiers(message: str) -> Iterable[tuple[str, str, str]]:
    """The same, from the message of older answers."""
    found = _POLICIES.search(message)
    try:
        listed = json.loads(found["json"]) if found else []
    except (ValueError, RecursionError):
        return []
    pairs = [(mapping(one.get("policyDefinition")), mapping(one.get("policyAssignment"))) for one in mappings(listed)]
    named = [(text(made.get("name")), text(given.get("name")), text(given.get("id"))) for made, given in pairs]
    return [one for one in named if one[2]][:_MOST_POLICIES]


def _denied_by_assignment(refusal: Refusal) -> Explanation:
    found = _DENY_ASSIGNMENT.search(refusal.message)
    if found is None:
        return explain(Reason.DENY_ASSIGNMENT, f"A deny assignment does not let the app {refusal.doing}.")
    what = f"The deny assignment '{found['name']}' at {found['scope']} forbids {found['action']} to the app's identity."
    step = f"Ask who manages '{found['name']}' to exclude the app's identity from it: no role helps against it."
    return explain(Reason.DENY_ASSIGNMENT, what, step)


def _other_tenants_network(refusal: Refusal, ours: str, subscription: str) -> Explanation:
    what = f"Subscription {subscription} is of another tenant than {ours}, so the app cannot {refusal.doing}."
    return explain(Reason.NETWORK_OF_ANOTHER_TENANT, what)


def _wrong_tenant(refusal: Refusal) -> Explanation:
    found, own = _ISSUER.search(refusal.message), _OWN_ISSUER.search(refusal.message)
    theirs, ours = f" {found['theirs']}" if found else "", f" {own['ours']}" if own else ""
    which = f"Subscription {refusal.subscription}" if refusal.subscription else "The subscription"
    what = f"{which} is of tenant{theirs}, the app's identity of tenant{ours}: it cannot {refusal.doing} there."
    return explain(Reason.SUBSCRIPTION_OF_ANOTHER_TENANT, what)


def _disabled(refusal: Refusal) -> Explanation:
    which = _named(_SUBSCRIPTION, "subscription", refusal) or refusal.subscription
    what = f"Subscription {which} is disabled and so read-only: the app could not {refusal.doing}."
    return explain(Reason.READ_ONLY_DISABLED_SUBSCRIPTION, what, f"Enable subscription {which} again." if which else "")


def _unregistered(refusal: Refusal) -> Explanation:
    namespace, where = _named(_NAMESPACE, "namespace", refusal) or "Microsoft.Network", refusal.subscription
    what = f"Subscription {where} has not registered {namespace}: the app could not {refusal.doing}."
    option = f" --subscription {where}" if where else ""
    step = f"Register {namespace}: `az provider register --namespace {namespace}{option}`."
    about = {"namespace": namespace} | ({"subscription": where} if where else {})
    return explain(Reason.MISSING_SUBSCRIPTION_REGISTRATION, what, step, about)


def _no_subscription(refusal: Refusal) -> Explanation:
    which = _named(_SUBSCRIPTION, "subscription", refusal) or refusal.subscription
    what = f"Subscription {which} does not exist, or the app's identity cannot see it: it could not {refusal.doing}."
    about = [{"role": "Reader", "scope": f"/subscriptions/{which}"}] if which else []
    return explain(Reason.SUBSCRIPTION_NOT_FOUND, what, "", *about)


def _no_group(refusal: Refusal) -> Explanation:
    which = _named(_GROUP, "group", refusal)
    what = f"Resource group {which} does not exist, so the app could not {refusal.doing}."
    return explain(Reason.RESOURCE_GROUP_NOT_FOUND, what, "", {"group": which} if which else {})


def _group_going(refusal: Refusal) -> Explanation:
    which = _named(_GROUP, "group", refusal)
    what = f"Resource group {which} is being deleted, which may take hours: the app could not {refusal.doing}."
    return explain(Reason.RESOURCE_GROUP_BEING_DELETED, what)


def _identity_in_use(refusal: Refusal) -> Explanation:
    what = (
        f"The network was moved or made again, and a link still names it as it was: the app could not {refusal.doing}."
    )
    return explain(Reason.NETWORK_IDENTITY_IN_USE, what)


def _named(pattern: re.Pattern[str], group: str, refusal: Refusal) -> str:
    found = pattern.search(refusal.message)
    return found[group] if found else ""


_BY_CODE: Mapping[str, Callable[[Refusal], Explanation]] = {
    "scopelocked": _locked,
    "requestdisallowedbypolicy": _disallowed,
    "denyassignmentauthorizationfailed": _denied_by_assignment,
    "invalidauthenticationtokentenant": _wrong_tenant,
    "readonlydisabledsubscription": _disabled,
    "missingsubscriptionregistration": _unregistered,
    "subscriptionnotfound": _no_subscription,
    "resourcegroupnotfound": _no_group,
    "resourcegroupbeingdeleted": _group_going,
}
