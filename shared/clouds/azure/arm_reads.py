"""Reads of ARM that the SDK's clients have no method for: JSON by address, and lists in pages.

Used by `management_groups`, `event_topics` and `tenants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.azure.clients import ArmClients, arm_errors
from shared.core.model.errors import UnusableAnswer
from shared.core.model.json_values import mapping, mappings, text

NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""For the client of what belongs to no subscription."""
PAGES_MAX = 200
"""Of a list whose pages lead in a circle no more is read."""


async def read_json(
    clients: ArmClients, path: str, api: str, doing: str, *, subscription: str = NO_SUBSCRIPTION
) -> Mapping[str, Any]:
    """The JSON object at a path of ARM; raises what `arm_errors` raises."""
    return await _read(clients, f"{clients.options.url}{path}?api-version={api}", doing, path, subscription)


async def read_list(
    clients: ArmClients, path: str, api: str, doing: str, *, subscription: str = NO_SUBSCRIPTION
) -> list[Mapping[str, Any]]:
    """Every entry of the list at a path of ARM, whole or not at all; raises what `arm_errors` raises."""
    url, found = f"{clients.options.url}{path}?api-version={api}", list[Mapping[str, Any]]()
    for _ in range(PAGES_MAX):
        body = await _read(clients, url, doing, path, subscription)
        if not isinstance(body.get("value"), list):
            break
        found += mappings(body["value"])
        url = text(body.get("nextLink"))
        if not url:
            return found
        if not url.startswith(f"{clients.options.url}/"):  # the request would carry the app's token there
            break
    raise UnusableAnswer(f"Azure's answer could not be used when asked to {doing}.", on=path)


async def _read(clients: ArmClients, url: str, doing: str, on: str, subscription: str) -> Mapping[str, Any]:
    from azure.core.rest import HttpRequest  # noqa: PLC0415 - the SDK is imported when first used

    client = await clients.dns(subscription)
    with arm_errors(doing, on):
        response = await client.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        body = response.json()
    if not isinstance(body, Mapping):
        raise UnusableAnswer(f"Azure's answer could not be used when asked to {doing}.", on=on)
    return mapping(body)
