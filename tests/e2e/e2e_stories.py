"""Many stories told at once in one instance, each judged by a test of its own; and what the app sent over the wire."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from e2e_instance import Instance, connection, eventually, lines_of

from local.cli.client import USER_AGENT, LocalClient

Outcomes = Mapping[str, BaseException | None]
Telling = Callable[[Instance], Coroutine[Any, Any, Outcomes]]
JUST_READING = re.compile(r"/deployments/_search$")
"""A POST that changes nothing."""


async def at_once(stories: Mapping[str, Coroutine[Any, Any, None]]) -> Outcomes:
    """Tell all stories; what became of each: None, or why it went wrong."""
    ends = await asyncio.gather(*stories.values(), return_exceptions=True)
    return dict(zip(stories, ends, strict=True))


class Told:
    """Stories of one instance, told when a test first asks, in a loop of their own; a test judges each."""

    def __init__(
        self, tell: Callable[[Instance], Coroutine[Any, Any, Outcomes]], start: Callable[[], Instance]
    ) -> None:
        """`tell` has the stories told in the instance that `start` begins."""
        self._tell, self._start = tell, start
        self._ends: Outcomes | None = None

    def judge(self, story: str) -> None:
        """Fail as the story did; should the test be run once more, all is told anew."""
        if self._ends is None:
            self._ends = self._told()
        if (outcome := self._ends[story]) is not None:
            self._ends = None
            raise outcome

    def _told(self) -> Outcomes:
        instance, loop = self._start(), asyncio.new_event_loop()
        try:
            return loop.run_until_complete(self._tell(instance.wait_for("\nready\n")))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            instance.stop()


# -- what is seen over HTTP ----------------------------------------------------------------------------------------


def condition(found: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """One condition of a connection; empty while it has none."""
    return next((dict(c) for c in found.get("conditions") or [] if c["type"] == type_), {})


async def until(client: LocalClient, endpoint: str, **wanted: str) -> dict[str, Any]:
    """Wait until the connection has these conditions, by their reasons; `phase` is the connection's own."""

    async def ask() -> dict[str, Any]:
        return await connection(client, endpoint)

    def holds(found: dict[str, Any]) -> bool:
        seen = {type_: condition(found, type_).get("reason") for type_ in wanted} | {"phase": found.get("phase")}
        return all(seen[name] == value for name, value in wanted.items())

    return dict(await eventually(ask, holds))


async def journal(client: LocalClient, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that was done and decided for a connection, oldest first."""
    answer = await client.app("GET", f"/connections/{found['id']}/journal?limit=500")
    return list(reversed(answer.json()["items"]))


# -- what was said over the wire -----------------------------------------------------------------------------------


def writes_of_the_app(instance: Instance) -> list[str]:
    """Method and path of each write that the app has sent to Azure and Elastic Cloud, in order of sending."""
    return [f"{one['method']} {path_of(one['url'])}" for one in _written(instance)]


def writes_about(instance: Instance, found: Mapping[str, Any]) -> list[str]:
    """Of these, what names a connection's endpoint, GUID, zone, policy or targets, in its path or its body."""
    names = {found["endpointId"], found["guid"], found["zone"]["id"], found["policy"]["id"]}
    names = {name.lower() for name in names | {target["id"] for target in found["targets"]}}
    return [
        f"{one['method']} {path_of(one['url'])}"
        for one in _written(instance)
        if any(name in f"{one['url']} {json.dumps(one['request_body'])}".lower() for name in names)
    ]


def _written(instance: Instance) -> list[dict[str, Any]]:
    lines = lines_of(instance.endpoints["exchanges"])
    sent = sorted((json.loads(line) for line in lines), key=lambda exchange: str(exchange["at"]))
    return [
        one
        for one in sent
        if one["service"] in {"arm", "elastic"}
        and one["request_headers"].get("user-agent") != USER_AGENT
        and one["method"] not in {"GET", "HEAD"}
        and not JUST_READING.search(path_of(one["url"]))
    ]


def path_of(url: str) -> str:
    """Without host and query."""
    return "/" + url.split("://", 1)[1].split("?", 1)[0].partition("/")[2]
