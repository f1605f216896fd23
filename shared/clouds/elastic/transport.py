"""Requests to the Elastic Cloud API with an organization's key, and the organizations that it has keys of.

Used by the client of each family; `composition` makes the organizations. Making a client opens no connection: an
organization whose key is refused, or that does not answer, holds up only what is asked of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import ItemsView, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from shared.clouds.answer_headers import DEFAULT_RETRY_AFTER
from shared.clouds.elastic.errors import elastic_error
from shared.clouds.foreign_answer import foreign_answer
from shared.core.model.errors import AnswerLost, AutopilotError, Blocked, LostRace, Permanent, RetryLater, Throttled
from shared.core.model.json_values import identifier, mapping, mappings, stored_instant, text
from shared.core.model.markers import marker_from_description
from shared.core.model.organizations import DEFAULT, key_setting
from shared.core.model.reasons import Reason
from shared.core.model.services import Family
from shared.core.model.steps import UpdatePolicy
from shared.core.ports import PrivateConnections
from shared.core.reasons import explain
from shared.requests import Service, outgoing, request_deadline

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class ElasticOptions:
    """Where the API is, and whose key is used there."""

    url: str
    timeout: float = 15.0
    """Seconds for one request."""
    probe_port: int = 9243
    """Port of the private URLs."""
    organization: str = DEFAULT
    """What the settings call the organization of the key."""


LONGEST_INTERVAL = 60.0
"""Seconds for which no request is sent at most: what the headers count in is not documented."""
MARK = 8
"""Characters that tell one key from another: far too few to find a key by."""


class KeySource(Protocol):
    """An organization's API key, wherever it is kept."""

    renewal: str
    """What a person does to put another key in its place: follows "Create a new Elastic Cloud API key and"."""

    async def current(self) -> str:
        """The key to use now; raises what keeps the app from having one."""

    async def refused(self, key: str) -> str | None:
        """Elastic Cloud refused this key: the one to try in its place, None where there is none."""

    def accepted(self) -> None:
        """Elastic Cloud took the key."""

    async def read(self) -> None:
        """Read the key where it is kept; raises what is wrong with that, also while an older key is in use."""


class FixedKey:
    """A key from a setting: it changes with a restart only."""

    def __init__(self, key: str, organization: str) -> None:
        self._key = key
        self.renewal = f"set {key_setting(organization)}."

    async def current(self) -> str:
        """Always the same."""
        return self._key

    async def refused(self, key: str) -> str | None:
        """There is no other."""
        del key
        return None

    def accepted(self) -> None:
        """Nothing depends on it."""

    async def read(self) -> None:
        """It has been read when the app started."""


class RequestsLeft:
    """What Elastic Cloud says is left of the requests of an interval: where nothing is, the next one is not sent.

    Where an interval began is not told: it is taken to be at the answer that had more left than the one before.
    """

    def __init__(self) -> None:
        self._left: int | None = None
        self._ends = 0.0

    def heard(self, headers: Mapping[str, str]) -> None:
        """Take an answer's headers in; one that lacks them, or has others than numbers, says nothing."""
        told = (headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-interval", ""))
        if not all(one.isdecimal() for one in told):
            return
        left, interval, now = int(told[0]), float(told[1]), asyncio.get_running_loop().time()
        if self._left is None or left > self._left or now >= self._ends:
            self._ends = now + min(interval, LONGEST_INTERVAL)
        self._left = left

    def ensure(self, doing: str, on: str) -> None:
        """Raise Throttled while nothing is left: the answer would be a refusal, which counts too."""
        wait = self._ends - asyncio.get_running_loop().time()
        if self._left == 0 and wait > 0:
            what = f"Elastic Cloud said that no request is left for {wait:.0f} s when the app was to {doing}."
            raise Throttled(what, on=on, after=wait)


class ElasticTransport:
    """One organization's key.

    Nothing is repeated here, what may be sent again is for the caller to know, but for a request that was refused for
    its key: nothing was done of it, and it is sent once more where there is another key by now.
    """

    def __init__(
        self, options: ElasticOptions, key: KeySource, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options = options
        self.key = key
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self.key_expires: datetime | None = None
        """When the API key ends, as the last answer said; None: not known, or never."""
        self.server_date: str | None = None
        """The `Date` of the service's last answer."""
        self.key_mark = ""
        """Tells the key that was taken last from others, and nothing else of it."""
        self._refused_key = ""
        self._refusal: AutopilotError | None = None
        self._left = RequestsLeft()

    async def call(self, method: str, path: str, *, doing: str, on: str, **options: Any) -> Mapping[str, Any]:
        """Ask, and return the answer's JSON object; AnswerLost for anything else, `elastic_error` for a refusal."""
        return self.object_in(await self.send(method, path, doing=doing, on=on, **options), doing, on)

    @staticmethod
    def object_in(response: httpx.Response, doing: str, on: str) -> Mapping[str, Any]:
        """An answer's JSON object; AnswerLost for anything else."""
        try:
            body = response.json()
        except (ValueError, RecursionError) as error:
            if response.request.method == "GET" and "html" in response.headers.get("content-type", "").lower():
                # A portal says 200 to everything. What a write came to is not known; a read came to nothing.
                host, told = response.request.url.host, response.headers
                raise Blocked(
                    foreign_answer("Elastic Cloud", response.status_code, told, response.text, doing=doing, at=host),
                    on=on,
                ) from error
            raise AnswerLost(f"Elastic Cloud's answer is no JSON when asked to {doing}.", on=on) from error
        if not isinstance(body, dict):
            raise AnswerLost(f"Elastic Cloud's answer is no JSON object when asked to {doing}.", on=on)
        return body

    async def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        on: str,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Ask, and return a successful answer; RetryLater, AnswerLost, or what `elastic_error` makes of a refusal."""
        self._left.ensure(doing, on)
        key = await self.key.current()
        request = partial(
            self._request, method, path, params=params, body=body, extra=headers or {}, doing=doing, on=on
        )
        response = await request(key)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            newer = await self.key.refused(key)
            key, response = (key, response) if newer is None else (newer, await request(newer))
        self.key_expires = _moment(response.headers.get("x-elastic-api-key-expiration")) or self.key_expires
        self.server_date = response.headers.get("date")
        self._left.heard(response.headers)
        error = None if response.is_success else self._error(response, key, doing, on)
        if isinstance(error, Blocked) and response.status_code in _passing(method, path):
            error = RetryLater(error.what, on=on, after=DEFAULT_RETRY_AFTER)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._refused_key, self._refusal = key, error
        else:
            self._refused_key, self._refusal = "", None
            self.key.accepted()
            self.key_mark = hashlib.sha256(key.encode()).hexdigest()[:MARK]
        if error is not None:
            raise error
        return response

    async def make_policy(self, path: str, body: dict[str, Any]) -> str:
        """Create a policy and return its id. AnswerLost: it may exist; look for it before trying again.

        All of it takes at most the timeout: the caller's lease rests on that.
        """
        doing, name = "create the private connection policy", body["name"]
        try:
            async with asyncio.timeout(self.options.timeout):
                answer = await self.call("POST", path, doing=doing, on=name, body=body)
        except TimeoutError as error:
            raise AnswerLost(f"Elastic Cloud did not answer in time when asked to {doing}.", on=name) from error
        policy_id = identifier(answer.get("id"))
        if not policy_id:
            raise AnswerLost("Elastic Cloud created the policy but answered no id.", on=name)
        return policy_id

    def _error(self, response: httpx.Response, key: str, doing: str, on: str) -> AutopilotError:
        return elastic_error(
            response.status_code,
            response.text,
            response.headers,
            doing=doing,
            on=on,
            organization=self.options.organization,
            renewal=self.key.renewal,
            key=key,
            at=urlsplit(self.options.url).hostname or "",
        )

    async def _request(
        self,
        method: str,
        path: str,
        key: str,
        *,
        params: Any,
        body: dict[str, Any] | None,
        extra: dict[str, str],
        doing: str,
        on: str,
    ) -> httpx.Response:
        import httpx  # noqa: PLC0415 - imported when first used

        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = outgoing(Service.ELASTIC) | extra | ({} if body is None else {"Content-Type": "application/json"})
        headers["Authorization"] = f"ApiKey {key}"
        late = AnswerLost(f"Elastic Cloud gave no whole answer in time when asked to {doing}.", on=on)
        try:
            async with request_deadline(self.options.timeout, late):
                return await self._http().request(method, path, params=params, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise RetryLater(f"Elastic Cloud could not be reached to {doing}.", on=on) from error
        except httpx.InvalidURL as error:
            raise Permanent(f"There can be no such address to {doing}.", on=on) from error
        except httpx.HTTPError as error:
            raise AnswerLost(f"Elastic Cloud's answer was lost when asked to {doing}.", on=on) from error

    def _http(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - imported when first used

        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=f"{self.options.url.rstrip('/')}/api/v1",
                headers={"Accept": "application/json"},
                timeout=httpx.Timeout(self.options.timeout, connect=_connecting(self.options.timeout)),
                transport=self._transport,
            )
        return self._client

    @property
    def key_renewal(self) -> str:
        """What a person does to put another key in the place of this one; follows "Create a new ... key and"."""
        return self.key.renewal

    async def ensure_key(self) -> None:
        """Return if there is a key that may work; raises what keeps the app from one, a refusal too."""
        if await self.key.current() == self._refused_key and self._refusal is not None:
            raise self._refusal

    async def read_key(self) -> None:
        """Read the key where it is kept; raises what keeps the app from it, also while an older one is in use."""
        await self.key.read()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _passing(method: str, path: str) -> frozenset[int]:
    """Refusals that end by themselves: a read conflicts with nothing, and a change with one that is under way."""
    if method == "GET" or path.endswith("/_search"):
        return frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
    return frozenset({HTTPStatus.CONFLICT}) if method == "PATCH" else frozenset()


def _connecting(timeout: float) -> float:
    """Seconds for the connection alone: less than all, so that a request which was never sent is known as such."""
    return min(5.0, timeout / 2)


def _moment(text: str | None) -> datetime | None:
    """A time with its zone; anything else is not understood, and no reason to fail."""
    try:
        return stored_instant(text)
    except (ValueError, OverflowError):
        return None


def list_in(body: Mapping[str, Any], name: str, doing: str) -> list[Any]:
    """A list that must be there: "no list" and "an empty list" lead to opposite decisions."""
    found = body.get(name)
    if not isinstance(found, list):
        raise AnswerLost(f"Elastic Cloud's answer has no list of {name} when asked to {doing}.", after=15.0)
    return found


def ensure_unchanged(current: Mapping[str, Any], step: UpdatePolicy) -> None:
    """Return if a policy, as it was just read, is still ours, and its rules those that the step is about; LostRace."""
    marker = marker_from_description(current.get("description"))
    if marker is None or not step.marker.same_maker(marker) or marker.connection_id != step.marker.connection_id:
        raise LostRace("The policy no longer carries this connection's marker.", on=step.policy_id, after=1.0)
    there = {text(rule.get("azure_endpoint_guid")).lower() for rule in mappings(current.get("rules"))}
    if step.replaces and not there & {*step.replaces, step.endpoint_guid.lower()}:
        raise LostRace("The policy's rules were changed since they were read.", on=step.policy_id, after=1.0)


def unusable_policy(policy_id: str) -> AnswerLost:
    """What is raised where nothing can be concluded, or changed, by what was answered about a policy."""
    return AnswerLost("Elastic Cloud's answer about the policy could not be used.", on=policy_id)


def is_unread(rule: object) -> bool:
    """Whether a policy's rule is none, or one of an Azure endpoint that cannot be read."""
    guid = mapping(rule).get("azure_endpoint_guid")
    return not mapping(rule) or (guid not in (None, "") and not text(guid))


class Organizations:
    """One client for each organization and family of targets, by the organization's name."""

    def __init__(self, clients: Mapping[tuple[str, Family], PrivateConnections]) -> None:
        self._clients = dict(clients)

    def of(self, name: str, family: Family) -> PrivateConnections:
        """The client of an organization, empty for the default one; Blocked where the settings have no key of it."""
        found = self._clients.get((name or DEFAULT, family))
        if found is not None:
            return found
        name = name or DEFAULT
        named = "" if name == DEFAULT else f" Name {name} in ELASTIC_ORGANIZATIONS again, with its settings."
        what = f"The settings have no API key of the Elastic Cloud organization {name}, in which this was made."
        step = f"Set {key_setting(name)}.{named}"
        raise Blocked(explain(Reason.ORGANIZATION_NOT_CONFIGURED, what, step), on=name)

    def __contains__(self, name: str) -> bool:
        return (name or DEFAULT) in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """Every organization, in the order of the settings."""
        return tuple(dict.fromkeys(name for name, _ in self._clients))

    def items(self) -> ItemsView[tuple[str, Family], PrivateConnections]:
        """Every client by its organization and family, in the order of the settings."""
        return self._clients.items()

    def of_family(self, family: Family) -> dict[str, PrivateConnections]:
        """The client of each organization for one family of targets."""
        return {name: client for (name, one), client in self._clients.items() if one is family}

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()
