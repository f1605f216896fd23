"""Why a connection may stay incomplete after a random walk: every reason, and what must be so for it to be true.

Judged by what is there, not by the product's own rules. Used by `ending`.
"""

from __future__ import annotations

from collections.abc import Callable

from local.elastic.deployments import Deployment
from shared.core.model.arm_ids import connection_id
from tests.walk.clients import clients_get, zone_of
from tests.walk.scene import Place, Scene, connection_of
from tests.walk.wishes import asked_for, asks_for, consented, opted_in

MOST_ZONES = 950


def _targets(scene: Scene, place: Place) -> list[Deployment]:
    """Every deployment that has to do with the endpoint."""
    asked = set(asked_for(scene, place))
    attached = {d for p, d in scene.pairs() if scene.connection_guids[place.name] & _guids_of(scene, p)}
    return [
        one
        for one in scene.deployments()
        if {one.id, one.name, *scene.former_names.get(one.id, ())} & asked or asks_for(one, place) or one.id in attached
    ]


def _guids_of(scene: Scene, policy_id: str) -> frozenset[str]:
    return next((one.guids for one in scene.estate.elastic.rulesets() if one.id == policy_id), frozenset())


def _has_status(status: str) -> Callable[[Scene, Place], bool]:
    def found(scene: Scene, place: Place) -> bool:
        endpoint = scene.endpoint(place.name)
        return endpoint is not None and endpoint.status == status

    return found


def _any(test: Callable[[Scene, Deployment, Place], bool]) -> Callable[[Scene, Place], bool]:
    return lambda scene, place: any(test(scene, one, place) for one in _targets(scene, place))


def _not_found(scene: Scene, place: Place) -> bool:
    names = {name for one in scene.deployments() for name in (one.id, one.name)}
    return bool(set(asked_for(scene, place)) - names)


def _ambiguous(scene: Scene, place: Place) -> bool:
    names = [one.name for one in scene.deployments() if one.status == "started" and not one.hidden]
    return any(names.count(name) > 1 for name in asked_for(scene, place))


def _unprotected(scene: Scene, deployment: Deployment, place: Place) -> bool:
    mine = scene.connection_guids[place.name]
    others = [one for one in scene.estate.elastic.attached(deployment.id) if not one.guids & mine]
    return not others


def _record_in_the_way(scene: Scene, place: Place) -> bool:
    found = scene.endpoint(place.name)
    name = f"privatelink.{place.region}."
    records = [one.a_record("*") for one in scene.zones() if one.name.startswith(name)]
    return any(one is not None and found is not None and found.address not in one for one in records)


def _led_elsewhere(scene: Scene, place: Place) -> bool:
    """A network that answers the clients has a zone of the name, and by it they do not get the endpoint's address."""
    found = scene.endpoint(place.name)
    return any(
        zone_of(scene, place, vnet) is not None and (found is None or found.address not in addresses)
        for vnet, addresses in clients_get(scene, place).items()
    )


def _answered_by_none(scene: Scene, place: Place) -> bool:
    """A network that answers the clients, and that the app is not to link, has no zone of the name."""
    linked = {place.vnet.lower(), *scene.estate.settings.get("DNS_LINK_VNETS", "").lower().split(",")}
    others = [vnet for vnet in clients_get(scene, place) if vnet.lower() not in linked]
    return any(zone_of(scene, place, vnet) is None for vnet in others)


def _no_free_place(scene: Scene, place: Place) -> bool:
    """Every group in which the zone may be made has a zone of the name, which is not this endpoint's."""
    found = scene.endpoint(place.name)
    listed = [one.strip() for one in scene.estate.settings.get("DNS_ZONE_RESOURCE_GROUPS", "").split(",")]
    groups = {one.rpartition("/")[2] for one in listed if one} or {place.group}
    name = f"privatelink.{place.region}.azure.elastic-cloud.com"
    taken = {
        one.path.resource_group
        for one in scene.zones()
        if one.name == name and not (found and found.address in (one.a_record("*") or []))
    }
    return groups <= taken


def _misnamed(scene: Scene, place: Place) -> bool:
    found = scene.endpoint(place.name)
    rules = [rule for one in scene.policies(ours=False) for rule in one.rules]
    mine = [rule for rule in rules if found and rule["azure_endpoint_guid"].lower() == found.resource_guid.lower()]
    return any(rule["azure_endpoint_name"] != place.name for rule in mine)


def _rule_edited(scene: Scene, place: Place) -> bool:
    """A policy of ours for the endpoint lacks its present GUID: a person changed the rule, or took it out."""
    found, own = scene.endpoint(place.name), connection_id(place.id)
    policies = [one for one in scene.policies(ours=True) if connection_of(one) == own]
    return found is not None and any(found.resource_guid.lower() not in one.guids for one in policies)


def _lets_others_in(scene: Scene, place: Place) -> bool:
    mine = scene.connection_guids[place.name]
    return any(one.guids & mine and (len(one.guids) > 1 or one.guids - mine) for one in scene.estate.elastic.rulesets())


CAUSES: dict[str, Callable[[Scene, Place], bool]] = {
    "DeploymentNotFound": _not_found,
    "DeploymentAmbiguous": _ambiguous,
    "DeploymentNotRunning": _any(lambda _, one, __: one.status == "stopped" or one.hidden),
    "DeploymentInAnotherRegion": _any(lambda _, one, place: one.azure_region != place.region),
    "DeploymentOptedOut": _any(lambda _, one, __: one.tags.get("elastic-privatelink") == "ignore"),
    "DeploymentNotAllowed": _any(lambda scene, one, place: not consented(scene, one, place)),
    "WouldCutOffPublicTraffic": _any(
        lambda scene, one, place: _unprotected(scene, one, place) and not opted_in(scene, one, "first")
    ),
    "WouldReopenPublicAccess": _any(
        lambda scene, one, place: _unprotected(scene, one, place) and not opted_in(scene, one, "last")
    ),
    "AssociationContested": _any(lambda scene, one, _: one.id in scene.fought),
    "PolicyNameMismatch": _misnamed,
    "ApprovalOverdue": _misnamed,
    "AwaitingApproval": _misnamed,
    "Rejected": _has_status("Rejected"),
    "Disconnected": _has_status("Disconnected"),
    "PolicyAdmitsOthers": _lets_others_in,
    "PolicyRuleEdited": _rule_edited,
    "RecordHeldByOthers": _record_in_the_way,
    "RecordHeldByAnotherEndpoint": _record_in_the_way,
    "AnsweredByAnotherZone": _led_elsewhere,
    "AnsweringNetworkNotLinked": _answered_by_none,
    "NetworkLinkedToAnotherZone": _led_elsewhere,
    "NoPlaceForZone": _no_free_place,
    "TooManyZones": lambda scene, _: len(scene.zones()) >= MOST_ZONES,
}
"""Every reason for which a connection may stay incomplete, and what must be so then."""
