"""Answers of both clouds as they were given once, played again with one thing wrong in one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from local.asgi import Headers
from tests.damaged.mutations import HEADERS, Mutation, mutations

SEEN = (
    b"date",
    b"retry-after",
    b"etag",
    b"location",
    b"azure-asyncoperation",
    b"content-type",
    b"x-elastic-api-key-expiration",
    b"x-ms-request-id",
    b"x-ms-ratelimit-remaining-subscription-reads",
)
"""Headers that an answer may have; each is mutated, also where the answer had none."""


@dataclass(frozen=True)
class Exchange:
    """One request, and the answer to it."""

    request: str
    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Wrong:
    """What is wrong with one of the answers."""

    answer: int
    mutation: Mutation | None = None
    header: tuple[bytes, str] | None = None

    def __str__(self) -> str:
        if self.header is not None:
            return f"{self.header[1]} as {self.header[0].decode()} of answer {self.answer}"
        return f"{self.mutation} of answer {self.answer}"


@dataclass
class Tape:
    """An ASGI app: records what `inner` answers, or plays that again."""

    inner: Any
    exchanges: list[Exchange] = field(default_factory=list)
    recording: bool = True
    wrong: Wrong | None = None
    played: int = 0

    def record(self) -> None:
        """From now on record, from nothing."""
        self.recording, self.exchanges, self.wrong, self.played = True, [], None, 0

    def play(self, wrong: Wrong | None) -> None:
        """From now on play what was recorded, from its beginning."""
        self.recording, self.wrong, self.played = False, wrong, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = f"{scope['method']} {scope['path']}"
        if self.recording:
            await self._record(request, scope, receive, send)
            return
        status, headers, body = self._answer(request)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _record(self, request: str, scope: Any, receive: Any, send: Any) -> None:
        start, parts = {}, []

        async def heard(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))
            await send(message)

        await self.inner(scope, receive, heard)
        self.exchanges.append(Exchange(request, start["status"], list(start["headers"]), b"".join(parts)))

    def _answer(self, request: str) -> tuple[int, Headers, bytes]:
        """The next recorded answer to this request; 404 for a request that was never recorded."""
        number = self._number(request)
        if number is None:
            return 404, [(b"content-type", b"application/json")], b'{"error": {"code": "NotFound", "message": "x"}}'
        exchange, wrong = self.exchanges[number], self.wrong
        headers = [one for one in exchange.headers if one[0].lower() != b"content-length"]
        if wrong is None or wrong.answer != number:
            return exchange.status, headers, exchange.body
        if wrong.mutation is not None:
            return exchange.status, headers, wrong.mutation.of(json.loads(exchange.body or b"null"))
        assert wrong.header is not None
        name, value = wrong.header[0], HEADERS[wrong.header[1]]
        headers = [one for one in headers if one[0].lower() != name]
        if value is not None:
            headers.append((name, value.encode("latin-1")))
        return exchange.status, headers, exchange.body

    def _number(self, request: str) -> int | None:
        later = [n for n, one in enumerate(self.exchanges) if one.request == request and n >= self.played]
        earlier = [n for n, one in enumerate(self.exchanges) if one.request == request]
        found = (later or earlier[-1:])[:1]
        if not found:
            return None
        self.played = max(self.played, found[0] + 1) if later else self.played
        return found[0]

    def wrongs(self) -> list[Wrong]:
        """All that can be wrong with what was recorded."""
        found = []
        for number, exchange in enumerate(self.exchanges):
            document = json.loads(exchange.body) if exchange.body else None
            found += [Wrong(number, one) for one in mutations(document)]
            found += [Wrong(number, None, (name, value)) for name in SEEN for value in HEADERS]
        return found
