"""`break` and `mend`: what is broken already is said to be, and a target that is stopped is found all the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest

from local import __main__ as command_line
from local.cli.breaking import HOPS
from local.cli.breaking_elastic import disassociate, restore_target
from local.cli.client import LocalClient, Refused

ENDPOINT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-1"
READY: dict[str, Any] = {
    "id": "0123456789abcdef",
    "name": "pe-1",
    "phase": "Ready",
    "family": "hosted",
    "endpointId": ENDPOINT,
    "vnetId": "/vnets/one",
    "zone": {"id": "/zone"},
    "policy": {"id": "p1"},
    "targets": [{"id": "d1"}],
}


@dataclass
class Client:
    """A running instance, as far as this goes: `missing` says that what is deleted is not there."""

    shown: dict[str, Any] = field(default_factory=lambda: dict(READY))
    missing: bool = False
    ended: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def app(self, method: str, path: str) -> httpx.Response:
        body = {"items": [self.shown], "next": None} if "?" in path or path.endswith("connections") else self.shown
        return httpx.Response(200, json=body, request=httpx.Request(method, f"http://app{path}"))

    async def azure(self, method: str, path: str) -> Any:
        self.asked.append((method, path))
        return {"value": []} if path.endswith("Links") else {"tags": {"elastic-deployments": "logs-1, other"}}

    async def elastic(self, method: str, path: str, _body: Any = None) -> Any:
        self.asked.append((method, path))
        if self.ended or (self.missing and method == "DELETE"):
            raise Refused(
                httpx.Response(
                    401 if self.ended else 404, text="{}", request=httpx.Request(method, f"http://elastic{path}")
                )
            )
        return {"deployments": [{"id": "d0", "name": "other"}, {"id": "d1", "name": "logs-1"}]}


async def run(client: Client, *arguments: str) -> None:
    parsed = command_line.parse(list(arguments))
    await command_line.CLIENT_COMMANDS[parsed.command](cast("LocalClient", client), parsed)


@pytest.mark.parametrize(
    ("hop", "shown"),
    [("association", {}), ("policy", {}), ("policy", {"policy": None}), ("link", {})],
)
async def test_a_hop_that_is_broken_already_is_said_to_be(
    hop: str, shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    await run(Client(READY | shown, missing=True), "break", hop, "pe-1")
    said = capsys.readouterr().out
    assert f"broken already: {HOPS[hop].broken}" in said
    assert f"who mends it: {HOPS[hop].repair}" in said


async def test_other_refusals_are_told() -> None:
    with pytest.raises(RuntimeError, match="has no zone yet"):
        await run(Client(READY | {"zone": None}), "break", "record", "pe-1")


@pytest.mark.parametrize("words", [("break", "policy"), ("break", "association"), ("mend", "target")])
async def test_with_a_key_that_has_ended_nothing_is_broken_in_elastic_cloud_and_it_is_said_why(
    words: tuple[str, str],
) -> None:
    with pytest.raises(RuntimeError, match=r"a key that has ended: python -m local mend key"):
        await run(Client(ended=True), *words, "pe-1")


async def test_a_deployment_that_is_stopped_is_found_by_the_tag_of_its_endpoint() -> None:
    """It is none of the connection's targets while it is stopped."""
    client = Client(READY | {"targets": []})
    await restore_target(cast("LocalClient", client), client.shown)
    assert client.asked[-1] == ("POST", "/deployments/d1/_restore")


async def test_a_connection_that_leads_nowhere_says_so() -> None:
    client = Client(READY | {"targets": []})

    async def untagged(_method: str, _path: str) -> Any:
        return {}

    client.azure = untagged  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="pe-1 leads to no deployment or project"):
        await disassociate(cast("LocalClient", client), client.shown)


async def test_without_a_name_the_only_connection_is_meant_and_the_key_needs_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = Client()
    await run(client, "break", "record")
    assert client.asked == [("DELETE", "/zone/A/*")]

    class Nothing(Client):
        states: tuple[str, ...] = ()

        async def app(self, method: str, path: str) -> httpx.Response:
            return httpx.Response(200, json={"items": []}, request=httpx.Request(method, f"http://app{path}"))

        async def backstage(self, _what: str, state: str) -> None:
            self.states += (state,)

    nothing = Nothing()
    await run(nothing, "break", "key")
    await run(nothing, "mend", "key")
    assert nothing.states == ("ended", "renewed")
    assert capsys.readouterr().out.endswith("mended; the next test says so\n")
    with pytest.raises(RuntimeError, match="no connection is called pe-story; there are: none"):
        await run(nothing, "break", "record")


async def test_what_is_not_broken_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    class Running(Client):
        async def elastic(self, method: str, path: str, _body: Any = None) -> Any:
            body = {"errors": [{"code": "deployments.elasticsearch_not_stopped"}]}
            raise Refused(httpx.Response(400, json=body, request=httpx.Request(method, f"http://elastic{path}")))

    await run(Running(), "mend", "target", "pe-1")
    assert capsys.readouterr().out == "nothing to mend: it is not broken\n"
