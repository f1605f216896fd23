"""Event Grid's system topics, as ARM shows them: the topics of a subscription, and one event subscription. Read only.

What there is stands in `ArmSettings.system_topics`; in Azure templates make it, or another team. Called by `app`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.access import check_scope
from local.arm.context import Answer
from local.arm.errors import ArmError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.settings import ArmSettings, SystemTopic

TYPE = "Microsoft.EventGrid/systemTopics"
_LIST = re.compile(rf"/subscriptions/(?P<subscription>[^/]+)/providers/{TYPE}/?", re.IGNORECASE)
_ONE = re.compile(
    rf"(?P<topic>/subscriptions/(?P<subscription>[^/]+)/resourceGroups/[^/]+/providers/{TYPE}/[^/]+)"
    r"/eventSubscriptions/(?P<name>[^/]+)/?",
    re.IGNORECASE,
)
_VERSIONS = {"2022-06-15", "2025-02-15"}


def answer(
    settings: ArmSettings, method: str, path: str, query: dict[str, str], principal: str, check: Callable[[str], None]
) -> Answer | None:
    """The answer to a question about topics; None for all else. `check` refuses a subscription that is not there."""
    found = _LIST.fullmatch(path) or _ONE.fullmatch(path)
    if found is None or method != "GET":
        return None
    check(found["subscription"])
    if query.get("api-version") not in _VERSIONS:
        message = f"No registered resource provider found for '{TYPE}' and API version '{query.get('api-version')}'."
        raise bad_request("NoRegisteredProviderFound", message)
    if found.re is _LIST:
        check_scope(settings, principal, f"{TYPE}/read", f"/subscriptions/{found['subscription']}")
        mine = f"/subscriptions/{found['subscription']}/".lower()
        listed = [_topic(one) for one in settings.system_topics if one.id.lower().startswith(mine)]
        return Answer(200, {"value": listed})
    check_scope(settings, principal, f"{TYPE}/eventSubscriptions/read", path)
    topic = next((one for one in settings.system_topics if one.id.lower() == found["topic"].lower()), None)
    properties = None if topic is None else topic.event_subscriptions.get(found["name"])
    if properties is None:
        what = f"{TYPE}/{found['topic'].split('/')[-1]}/eventSubscriptions/{found['name']}"
        raise ArmError(404, "ResourceNotFound", f"The Resource '{what}' was not found.")
    body = {"id": path, "name": found["name"], "type": f"{TYPE}/eventSubscriptions", "properties": properties}
    return Answer(200, body)


def _topic(topic: SystemTopic) -> dict[str, Any]:
    body = {
        "id": topic.id,
        "name": topic.id.split("/")[-1],
        "type": TYPE,
        "location": "global",
        "properties": {
            "provisioningState": "Succeeded",
            "source": "/".join(topic.id.split("/")[:3]),
            "topicType": topic.topic_type,
        },
    }
    return body if topic.identity is None else {**body, "identity": topic.identity}
