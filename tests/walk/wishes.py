"""Who asks for what, and who allowed it, told from the tags and settings alone. Used by `watch` and `ending`.

Written without a look at the product's own selection: it is what that is judged by.
"""

from __future__ import annotations

from local.elastic.deployments import Deployment
from tests.walk.scene import Place, Scene


def asked_for(scene: Scene, place: Place) -> list[str]:
    """What the endpoint's tag names."""
    found = scene.endpoint(place.name)
    text = found.tags.get("elastic-deployments", "") if found is not None else ""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def wanted_by(scene: Scene, deployment: Deployment, place: Place) -> bool:
    """Whether the endpoint, or the deployment, asks for their connection."""
    if scene.endpoint(place.name) is None:
        return False
    asked = asked_for(scene, place)
    if {deployment.id, deployment.name} & set(asked) or asks_for(deployment, place):
        return True
    # Under a name that it had before, unless that is another's by now.
    taken = {one.name for one in scene.deployments() if one.status == "started" and not one.hidden}
    return bool(set(asked) & scene.former_names.get(deployment.id, set()) - taken)


def _names(place: Place) -> set[str]:
    return {"*", f"{place.group}/{place.name}"}


def asks_for(deployment: Deployment, place: Place) -> bool:
    """Whether the deployment's own tag asks for the endpoint."""
    tag = deployment.tags.get("elastic-privatelink-connect", "")
    return tag in _names(place) and (tag != "*" or deployment.azure_region == place.region)


def consented(scene: Scene, deployment: Deployment, place: Place) -> bool:
    """Whether the settings or the deployment let the endpoint in, and neither keeps the app away."""
    if deployment.tags.get("elastic-privatelink") == "ignore":
        return False
    allowed = _listed(scene, "ELASTIC_DEPLOYMENTS_ALLOWED")
    tags = {deployment.tags.get(f"elastic-privatelink-{name}", "") for name in ("connect", "endpoints")}
    return bool({"*", deployment.name, deployment.id} & allowed) or bool(tags & _names(place))


def opted_in(scene: Scene, deployment: Deployment, which: str) -> bool:
    """Whether the deployment's first, or last, policy may be given, or taken away."""
    allowed = _listed(scene, f"ELASTIC_{which.upper()}_POLICY_ALLOWED")
    tag = deployment.tags.get(f"elastic-privatelink-{which}-policy")
    return tag == "allow" or bool({"*", deployment.name, deployment.id} & allowed)


def _listed(scene: Scene, setting: str) -> set[str]:
    return {entry.strip() for entry in scene.estate.settings.get(setting, "").split(",")} - {""}
