"""The life of a connection with something wrong in one answer, once or for a while; all is right afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from local.world import vnet_id
from shared.core.model.errors import AutopilotError
from shared.core.model.services import Services
from shared.settings.services import shipped_services
from tests.damaged.mutations import HEADERS, mutations
from tests.damaged.tape import SEEN
from tests.faults.watcher import ACTOR, Watcher
from tests.harness.estate import Estate

ONE_REGION = Services(tuple(one for one in shipped_services() if one.region == "eastus2"))
TAGS = {"elastic-deployments": "logs-eastus2"}
LASTING = 1200.0
"""Seconds for which the answers to one request stay wrong."""


@dataclass
class Spoiler:
    """An ASGI app whose answers are right but for some."""

    inner: Any
    chance: Random
    answer: int
    """The number of the answer that is wrong."""
    lasting: bool
    """Whether all later answers to the same request are wrong, too."""
    answers: int = 0
    on: bool = False
    request: str = ""
    wrong: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = f"{scope['method']} {scope['path']}"
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def heard(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.inner(scope, receive, heard)
        body = b"".join(parts)
        if (b"authorization", b"Bearer local") not in scope["headers"] and self._is_wrong(request):  # not a person's
            body = self._spoil(request, start, body)
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _is_wrong(self, request: str) -> bool:
        if not self.on:
            return False
        self.answers += 1
        if self.answers - 1 == self.answer:
            self.request = request
            return True
        return self.lasting and request == self.request

    def _spoil(self, request: str, start: dict[str, Any], body: bytes) -> bytes:
        headers = [one for one in start["headers"] if one[0].lower() != b"content-length"]
        if not body or self.chance.random() < 0.1:
            name, how = self.chance.choice(SEEN), self.chance.choice(sorted(HEADERS))
            headers = [one for one in headers if one[0].lower() != name]
            value = HEADERS[how]
            headers += [] if value is None else [(name, value.encode("latin-1"))]
            self.wrong = f"{how} as {name.decode()} of {request}"
        else:
            mutation = self.chance.choice(list(mutations(json.loads(body))))
            self.wrong = f"{mutation} of {request}"
            body = mutation.of(json.loads(body))
        start["headers"] = headers
        return body


class Life:
    """One connection that stands, and one that is made, looked after and deleted while an answer is wrong."""

    def __init__(self, number: int) -> None:
        self.chance = Random(number)
        self.estate = Estate(services=ONE_REGION)
        self.watcher = Watcher(self.estate)
        self.problems: list[str] = []
        self.spoiler: Spoiler | None = None

    async def play(self) -> list[str]:
        """All of it; what went wrong."""
        estate = await self.estate.open()
        self.standing = await estate.put_endpoint("pe-1")
        await self._work(600)
        self.watcher.begin()
        deletes = self.chance.random() < 0.4
        made = ""
        if deletes:
            made = await self._second()
            await self._work(1200)
        self._begin()
        if deletes:
            await estate.delete(made)
        else:
            made = await self._second()
        await self._round()
        self.spoiler.on = False  # type: ignore[union-attr] # made by _begin
        for _ in range(4):
            await self._round()
        await self._end(made, deletes)
        return self.problems

    async def _second(self) -> str:
        """An endpoint in another network and another group: nothing of it is shared with the one that stands."""
        return await self.estate.put_endpoint(
            "pe-2", location="westeurope", vnet=vnet_id("westeurope"), group="rg-two", tags=TAGS
        )

    def _begin(self) -> None:
        spoils_azure = self.chance.random() < 0.6
        inner = self.estate.arm.app if spoils_azure else self.estate.world.front
        lasting = self.chance.random() < 0.4
        spoiler = Spoiler(inner, self.chance, self.chance.randrange(40 if spoils_azure else 20), lasting, on=True)
        if spoils_azure:
            self.estate.arm.app = spoiler  # type: ignore[assignment] # an ASGI app like the other
        else:
            self.estate.world.front = spoiler  # type: ignore[assignment] # the app alone is used of it here
        self.spoiler, self.estate.worker = spoiler, self.estate.new_worker()

    async def _round(self) -> None:
        await self._work(LASTING)
        await self._no_bug("sweep", self.estate.sweep)
        await self._work(LASTING)

    async def _work(self, seconds: float) -> None:
        """Deliver events and messages for so long; what a run raises, the platform delivers again."""
        estate, end = self.estate, self.estate.clock.now().timestamp() + seconds
        while estate.clock.now().timestamp() < end:
            message = estate.queue.receive()
            if message is not None:
                ACTOR.set((message.number, ""))
                await self._no_bug("run", lambda message=message: estate.handle(message))
                continue
            due = estate.queue.next_visible_at()
            if due is None and not estate.events.pending:
                await estate.clock.sleep(end - estate.clock.now().timestamp())
                return
            pause = 1.0 if due is None else max(0.01, (due - estate.clock.now()).total_seconds())
            await estate.clock.sleep(min(pause, 1.0) if estate.events.pending else min(pause, seconds))

    async def _no_bug(self, what: str, work: Callable[[], Any]) -> None:
        try:
            await work()
        except AutopilotError:
            return
        except BaseException as error:  # noqa: BLE001 - what is searched for
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            if not isinstance(error, AutopilotError):
                self.problems.append(f"a {what} raised {type(error).__name__}: {str(error)[:200]}")

    async def _end(self, made: str, deleted: bool) -> None:
        for endpoint, phase in ((self.standing, "Ready"), (made, "Removed" if deleted else "Ready")):
            record = await self.estate.connection(endpoint)
            if record.status.phase != phase:
                reasons = [f"{c.type} {c.reason}: {c.message}" for c in record.status.conditions if not c.true]
                self.problems.append(f"{endpoint[-4:]} is {record.status.phase}, not {phase}: {reasons}"[:600])
        self.problems += self.watcher.problems
        names = [one.name for one in self.estate.elastic.rulesets() if one.name == "pe-2"]
        if len(names) != (not deleted):
            self.problems.append(f"{len(names)} policies of pe-2")
