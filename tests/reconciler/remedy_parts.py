"""Runs the lines of `shared.core.reasons.commands` on an estate, as a person's shell would: `curl` and `az`, no more.

Called by `test_remedies`. What a line says is taken word for word: a word that is not understood is an error.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.arm import DEFAULT_SUBSCRIPTION
from local.arm.roles import RoleAssignment
from local.world import API_KEY, endpoint_body
from shared.api import connection_decisions, decisions, queries, recovered
from shared.api.removals import show_removals
from shared.core.model.callers import Asked
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS

DNS_API = "2024-06-01"
TAGS_API = "2021-04-01"
LOCKS_API = "2020-05-01"
PERSON = Asked("key ops", "a-person")
CLIENT_ID = "11111111-2222-4333-8444-555555555555"
_GROUPS = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups"


class Shell:
    """What a person's shell keeps from one line to the next."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.variables: dict[str, str] = {}
        self.answer = ""

    async def run(self, line: str) -> None:
        """Do what the line says; raises where anything is left open, or refused."""
        assert not (left := re.findall(r"<[^<>]+>", line)), left
        assigned = re.fullmatch(r"(\w+)=\$\((.*)\)", line)
        if assigned is not None:
            self.variables[assigned[1]] = (await self._do(assigned[2])).strip()
        else:
            self.answer = await self._do(line)

    async def _do(self, line: str) -> str:
        program, *words = shlex.split(line)
        known = [re.sub(r"\$(\w+)", lambda found: self.variables.get(found[1], found[0]), word) for word in words]
        return await {"curl": _curl, "az": _az}[program](self.estate, known) or ""


def _options(words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The words before the options, and each option's values."""
    plain: list[str] = []
    options: dict[str, list[str]] = {}
    values = plain
    for word in words:
        if word.startswith("-"):
            values = options.setdefault(word, [])
        else:
            values.append(word)
    return plain, options


async def _curl(estate: Estate, words: list[str]) -> str:
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    (url,) = (word for word in words if word.startswith("https://"))
    if url.startswith("https://$host/api/"):
        assert {"x-functions-key: $key", *(["x-autopilot-key: $deciding"] if method == "POST" else [])} <= set(headers)
        return json.dumps(await _app(estate, method, urlsplit(url).path, body), default=str)
    assert "Authorization: ApiKey $EC_API_KEY" in headers
    assert url.startswith("https://api.elastic-cloud.com/api/v1/")
    transport = httpx.ASGITransport(app=estate.world.front)
    async with httpx.AsyncClient(transport=transport, base_url="https://elastic.local") as person:
        key = {"Authorization": f"ApiKey {API_KEY}"}
        path = url.removeprefix("https://api.elastic-cloud.com")
        answer = await person.request(method, path, json=body if "-d" in words else None, headers=key)
    assert answer.is_success, answer.text
    return answer.text


async def _app(estate: Estate, method: str, path: str, body: dict[str, Any]) -> Any:
    context = estate.worker.context
    match method, path.split("/")[2:]:
        case "GET", ["removals"]:
            return await show_removals(context)
        case "GET", ["recovered"]:
            return await recovered.show_recovered(context)
        case "POST", ["decisions"]:
            return await decisions.decide(context, body, PERSON)
        case "POST", ["connections", connection, "decisions"]:
            return await connection_decisions.decide(context, connection, body, PERSON)
        case "POST", ["connections", connection, "reconcile"]:
            return await queries.rerun_connection(context, connection, PERSON)
    raise AssertionError(path)


async def _az(estate: Estate, words: list[str]) -> str | None:
    plain, options = _options(words)
    given = {name.removeprefix("--"): " ".join(values) for name, values in options.items()}
    return await _AZ[" ".join(plain)](estate, given)


async def _show_endpoint(estate: Estate, given: dict[str, str]) -> str:
    shown = await estate.azure("GET", given["ids"])
    match given["query"], given["output"]:
        case "subnet.id", "tsv":
            return str(shown["properties"]["subnet"]["id"])
        case "tags", "json":
            return json.dumps(shown["tags"])
    raise AssertionError(given)


async def _rest(estate: Estate, given: dict[str, str]) -> None:
    path, _, api = given["url"].partition("?api-version=")
    await estate.azure(given["method"].upper(), path, json.loads(given["body"]), api=api)


async def _delete_endpoint(estate: Estate, given: dict[str, str]) -> None:
    await estate.delete(given["ids"])
    await estate.clock.sleep(10)


async def _create_endpoint(estate: Estate, given: dict[str, str]) -> None:
    """A manual connection by alias, as Azure's CLI makes it: in the subnet that is named, and without tags."""
    assert (given["manual-request"], given["connection-name"]) == ("true", given["name"])
    endpoint = f"{_GROUPS}/{given['resource-group']}/providers/Microsoft.Network/privateEndpoints/{given['name']}"
    body = endpoint_body(given["location"], "", given["private-connection-resource-id"])
    body["properties"]["subnet"]["id"] = given["subnet"]
    await estate.azure("PUT", endpoint, body)
    await estate.clock.sleep(10)


async def _delete_record(estate: Estate, given: dict[str, str]) -> None:
    assert (given["name"], given["yes"]) == ("*", "")
    zone = estate.zone()
    assert (zone.name, f"/resourcegroups/{given['resource-group']}/" in zone.id.lower()) == (given["zone-name"], True)
    await estate.azure("DELETE", f"{zone.id}/A/*", api=DNS_API)


async def _tag(estate: Estate, given: dict[str, str]) -> None:
    key, _, value = given["tags"].partition("=")
    body = {"operation": given["operation"], "properties": {"tags": {key: value}}}
    path = f"{given['resource-id']}/providers/Microsoft.Resources/tags/default"
    await estate.azure("PATCH", path, body, api=TAGS_API)


async def _link(estate: Estate, given: dict[str, str]) -> None:
    assert given["registration-enabled"] == "false"
    zone = estate.zone()
    assert zone.name == given["zone-name"]
    body = {
        "location": "global",
        "properties": {"virtualNetwork": {"id": given["virtual-network"]}, "registrationEnabled": False},
    }
    await estate.azure("PUT", f"{zone.id}/virtualNetworkLinks/{given['name']}", body, api=DNS_API)
    await estate.clock.sleep(10)


async def _unlink(estate: Estate, given: dict[str, str]) -> None:
    zone = estate.zone()
    assert (zone.name, given["yes"]) == (given["zone-name"], "")
    await estate.azure("DELETE", f"{zone.id}/virtualNetworkLinks/{given['name']}", api=DNS_API)
    await estate.clock.sleep(10)


async def _list_locks(estate: Estate, given: dict[str, str]) -> str:
    scope = f"{_GROUPS}/{given['resource-group']}"
    return json.dumps(await estate.azure("GET", f"{scope}/providers/Microsoft.Authorization/locks", api=LOCKS_API))


async def _unlock(estate: Estate, given: dict[str, str]) -> None:
    await estate.azure("DELETE", given["ids"], api=LOCKS_API)


async def _create_group(estate: Estate, given: dict[str, str]) -> None:
    await estate.azure("PUT", f"{_GROUPS}/{given['name']}", {"location": given["location"]}, api=TAGS_API)


async def _register(estate: Estate, given: dict[str, str]) -> None:
    path = f"/subscriptions/{given['subscription']}/providers/{given['namespace']}/register"
    await estate.azure("POST", path, api=TAGS_API)


async def _assign(estate: Estate, given: dict[str, str]) -> None:
    """Roles of Azure's own that remedies are tried with, as Azure defines them."""
    roles = {"Private DNS Zone Contributor": ("Microsoft.Network/privateDnsZones/*",), "Reader": ("*/read",)}
    assert given["assignee"] == CLIENT_ID
    own = estate.arm_settings.role_assignments[WORKERS]
    estate.arm_settings.role_assignments[WORKERS] = [*own, RoleAssignment(given["scope"], roles[given["role"]])]


async def _store_secret(estate: Estate, given: dict[str, str]) -> None:
    assert (given["vault-name"], given["file"]) == ("kv-1", "FILE")
    estate.vault.store(given["name"], API_KEY)


_AZ = {
    "network private-endpoint show": _show_endpoint,
    "network private-endpoint delete": _delete_endpoint,
    "network private-endpoint create": _create_endpoint,
    "network private-dns record-set a delete": _delete_record,
    "network private-dns link vnet create": _link,
    "network private-dns link vnet delete": _unlink,
    "rest": _rest,
    "tag update": _tag,
    "lock list": _list_locks,
    "lock delete": _unlock,
    "group create": _create_group,
    "provider register": _register,
    "role assignment create": _assign,
    "keyvault secret set": _store_secret,
}
