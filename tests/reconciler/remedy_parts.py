"""Runs the lines of `shared.core.reasons.commands` on an estate, as a person's shell would: `curl` and `az`, no more.

Called by `test_remedies`. What a line says is taken word for word: a word that is not understood is an error.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.world import API_KEY
from shared.api import connection_decisions, queries
from shared.core.model.callers import Asked
from tests.harness.estate import Estate

DNS_API = "2024-06-01"
TAGS_API = "2021-04-01"
LOCKS_API = "2020-05-01"
PERSON = Asked("key ops", "a-person")


async def run(estate: Estate, line: str, filled: Mapping[str, str]) -> None:
    """Fill the placeholders in, and do what the line says; raises where anything is left open, or refused."""
    for name, value in filled.items():
        line = line.replace(f"<{name}>", value)
    assert not (left := re.findall(r"<[^<>]+>", line)), left
    program, *words = shlex.split(line)
    await {"curl": _curl, "az": _az}[program](estate, words)


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


async def _curl(estate: Estate, words: list[str]) -> None:
    method = words[words.index("-X") + 1]
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    (url,) = (word for word in words if word.startswith("https://"))
    if url.startswith("https://$host/api/"):
        assert {"x-functions-key: $key", "x-autopilot-key: $deciding"} <= set(headers)
        await _app(estate, method, urlsplit(url).path, body)
        return
    assert "Authorization: ApiKey $EC_API_KEY" in headers
    assert url.startswith("https://api.elastic-cloud.com/api/v1/")
    transport = httpx.ASGITransport(app=estate.elastic.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://elastic.local") as person:
        key = {"Authorization": f"ApiKey {API_KEY}"}
        path = url.removeprefix("https://api.elastic-cloud.com")
        answer = await person.request(method, path, json=body if "-d" in words else None, headers=key)
    assert answer.is_success, answer.text


async def _app(estate: Estate, method: str, path: str, body: dict[str, Any]) -> None:
    assert method == "POST"
    *_, connection, what = path.split("/")
    if what == "decisions":
        await connection_decisions.decide(estate.worker.context, connection, body, PERSON)
    else:
        assert what == "reconcile"
        await queries.rerun_connection(estate.worker.context, connection, PERSON)


async def _az(estate: Estate, words: list[str]) -> None:
    plain, options = _options(words)
    given = {name.removeprefix("--"): " ".join(values) for name, values in options.items()}
    await _AZ[" ".join(plain)](estate, given)


async def _delete_endpoint(estate: Estate, given: dict[str, str]) -> None:
    await estate.delete(given["ids"])
    await estate.clock.sleep(10)


async def _create_endpoint(estate: Estate, given: dict[str, str]) -> None:
    """A manual connection by alias; the tags are the person's own, and stay."""
    assert (given["manual-request"], given["connection-name"]) == ("true", given["name"])
    assert given["private-connection-resource-id"] == estate.service_of("eastus2").alias
    await estate.put_endpoint(given["name"], group=given["resource-group"])


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


async def _unlock(estate: Estate, given: dict[str, str]) -> None:
    await estate.azure("DELETE", given["ids"], api=LOCKS_API)


_AZ = {
    "network private-endpoint delete": _delete_endpoint,
    "network private-endpoint create": _create_endpoint,
    "network private-dns record-set a delete": _delete_record,
    "network private-dns link vnet create": _link,
    "tag update": _tag,
    "lock delete": _unlock,
}
