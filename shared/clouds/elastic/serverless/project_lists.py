"""Serverless projects and the complete list of traffic filters that each has; used by the client of this family.

A project is associated by a PATCH of its whole list with the ETag that was read (read, add, write, read back):
what is left out is taken away, so nothing is ever written over a list that may have changed. A service that ignores
If-Match is not written to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared.clouds.elastic.serverless.bodies import filters_of
from shared.clouds.elastic.transport import ElasticTransport, list_in
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    ChangeUnseen,
    Forbidden,
    LostRace,
    NotFound,
    UnusableAnswer,
    Waiting,
)
from shared.core.model.json_values import identifier, text
from shared.core.model.reasons import Reason
from shared.core.model.resources import Attached
from shared.core.reasons import explain

PROJECT_TYPES = ("elasticsearch", "observability", "security")
_TIERS = {"observability": "Observability Complete", "security": "Security Analytics Complete"}
"""The product tier that network security needs, where it needs one (Elastic's guide)."""
RUNNING = "initialized"
"""The phase of a project that runs."""
_PROJECTS = "/serverless/projects"
_ATTEMPTS = 3
"""Writes of one list, where others change it at the same time."""
_SHARED_SECONDS = 5.0
"""For so long one reading of all projects serves all that ask: a sweep reads policies, then targets. What is written
rests on a reading of its own."""
_USABLE_SECONDS = 5.0
"""For so long a project that was found to run is not asked again."""
_NO_VERSION = '"no-version-of-it"'
"""An ETag that no project ever has."""

Change = Callable[[tuple[str, ...]], tuple[str, ...]]


class ProjectVersion(NamedTuple):
    """A project's list as it was read, and the ETag that tells that version."""

    path: str
    filters: tuple[str, ...]
    etag: str


class ProjectLists:
    """Reads projects, and changes their lists."""

    def __init__(self, transport: ElasticTransport) -> None:
        self._transport = transport
        self._types: dict[str, str] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        """Each project's list, as the last listing of projects showed it, or as it was written since."""
        self._reading: asyncio.Task[tuple[Mapping[str, Any], ...]] | None = None
        self._until = 0.0
        self._usable_until: dict[str, float] = {}
        self._guarded = False
        """Whether the service was seen to refuse an ETag that is no project's."""

    async def all(self) -> tuple[Mapping[str, Any], ...]:
        """Every project that the key may see, of all types; readers of the same moment share one reading."""
        now = asyncio.get_running_loop().time()
        if self._reading is None or (self._reading.done() and (now >= self._until or self._failed(self._reading))):
            self._reading = asyncio.create_task(self._all())
            self._until = now + _SHARED_SECONDS
        return await asyncio.shield(self._reading)

    def close(self) -> None:
        """End a reading that is under way."""
        if self._reading is not None:
            self._reading.cancel()

    async def version(self, project_id: str) -> ProjectVersion:
        """A project's list with its ETag. NotFound: the key sees no such project.

        What an answer leaves out, a write of the whole list takes away. So where it lacks an id that was there when
        last seen, both the listing of projects and the project are read again, and must agree that it is gone.
        """
        path = await self._path(project_id)
        found = await self._version(project_id, path)
        if not self._lacks(project_id, found):
            return found
        await self._of_type(_type_in(path))
        found = await self._version(project_id, path)
        if self._lacks(project_id, found):
            what = "Elastic Cloud's listing shows traffic filters that its answer about the project lacks."
            raise UnusableAnswer(what, on=project_id)
        return found

    def _lacks(self, project_id: str, found: ProjectVersion) -> bool:
        return not set(self._listed.get(project_id, ())) <= set(found.filters)

    async def _version(self, project_id: str, path: str) -> ProjectVersion:
        doing = "read the project"
        answer = await self._transport.send("GET", path, doing=doing, on=project_id)
        body = self._transport.object_in(answer, doing, project_id)
        filters = filters_of(body)
        etag = answer.headers.get("etag", "")
        if filters is None and body.get("traffic_filters") is None and "traffic_filters" in body:
            filters = ()  # `null` of a project that is read by itself: it has none
        if filters is None or not etag:
            raise UnusableAnswer("Elastic Cloud's answer has no list of traffic filters, or no ETag.", on=project_id)
        return ProjectVersion(path, filters, etag)

    async def phase(self, project_id: str) -> str:
        """The phase of one project: a request of its own, so it is asked only where it matters."""
        path, doing = f"{await self._path(project_id)}/status", "read the project's state"
        return text((await self._transport.call("GET", path, doing=doing, on=project_id)).get("phase"))

    async def is_unknown(self, project_id: str) -> bool:
        """Whether no project of any type is found by its id; the type of one that is gone may not be known any more."""
        kinds = [self._types[project_id]] if project_id in self._types else PROJECT_TYPES
        return all(await asyncio.gather(*(self._is_unknown(kind, project_id) for kind in kinds)))

    async def _is_unknown(self, kind: str, project_id: str) -> bool:
        doing = "read the project"
        try:
            await self._transport.send("GET", f"{_PROJECTS}/{kind}/{project_id}", doing=doing, on=project_id)
        except NotFound:
            return True
        except Forbidden as error:
            if error.reason is not Reason.ELASTIC_RIGHTS_MISSING:
                raise
        return False

    async def prepare(self, project_id: str) -> None:
        """Ask now what a change of the list asks first; for a moment that holds."""
        await self._ensure_usable(project_id, await self._path(project_id))

    async def change(self, project_id: str, change: Change, seen: Attached | None = None) -> bool:
        """Let a project's list be what `change` makes of it, nothing of others lost; whether anything was written.

        `seen`: the list that was decided on. Only that one is written over; where it has changed, LostRace.
        """
        for _ in range(_ATTEMPTS if seen is None else 1):
            found = await self.version(project_id) if seen is None else await self._as_seen(project_id, seen)
            wanted = change(found.filters)
            if wanted == found.filters:
                return False
            await self._ensure_usable(project_id, found.path)
            try:
                await self._write(project_id, found, wanted)
            except LostRace:
                continue
            except AnswerLost as lost:
                await self._end_lost(project_id, found, wanted, change, lost)
            await self._read_back(project_id, change)
            return True
        raise LostRace("The project's list of traffic filters is not as it was read any more.", on=project_id)

    async def _as_seen(self, project_id: str, seen: Attached) -> ProjectVersion:
        return ProjectVersion(await self._path(project_id), seen.policies, seen.version)

    async def _end_lost(
        self, project_id: str, found: ProjectVersion, wanted: tuple[str, ...], change: Change, lost: AnswerLost
    ) -> None:
        """Send a write whose answer was lost once more, on the same version: any answer to that ends both.

        200: the first one did not land, and cannot now. 412: it has landed, or cannot any more; which of them, the list
        says where it shows it. Returns where it is done; else ChangeUnseen: a list may be late, and show it later.
        """
        try:
            await self._write(project_id, found, wanted)
        except LostRace:
            pass
        except AutopilotError as error:
            raise lost from error
        else:
            return
        unseen = ChangeUnseen(lost.what, on=project_id, after=lost.after)
        try:
            after = await self.version(project_id)
        except AutopilotError as error:
            raise unseen from error
        if change(after.filters) != after.filters:
            raise unseen from lost

    async def _read_back(self, project_id: str, change: Change) -> None:
        """Look whether the list is as it was written; a look that fails takes nothing back."""
        self._until = 0.0
        try:
            after = await self.version(project_id)
        except AutopilotError:
            return
        if change(after.filters) != after.filters:
            what = "The project's list of traffic filters does not show what was just written: others write it too."
            raise ChangeUnseen(what, on=project_id)

    async def _write(self, project_id: str, found: ProjectVersion, wanted: tuple[str, ...]) -> None:
        body = {"traffic_filters": [{"id": one} for one in wanted]}
        doing, condition = "change the project's traffic filters", {"If-Match": found.etag}
        try:
            await self._transport.send("PATCH", found.path, doing=doing, on=project_id, body=body, headers=condition)
        except Blocked as error:
            raise _refused(error, found.path, project_id) from error
        self._listed[project_id] = wanted

    async def _ensure_usable(self, project_id: str, path: str) -> None:
        """Return if the project runs and its list can be guarded; raises what keeps the app from writing it."""
        now = asyncio.get_running_loop().time()
        if now < self._usable_until.get(project_id, 0.0):
            return
        phase = await self.phase(project_id)
        if phase == "initializing":
            raise Waiting("Elastic Cloud is still making the project; it is connected then.", on=project_id, after=30.0)
        if phase != RUNNING:
            what = f"Project {project_id} is {phase or 'in a state that is not known'}, so it is not changed."
            raise Blocked(explain(Reason.DEPLOYMENT_NOT_RUNNING, what), on=project_id)
        if not self._guarded:
            await self._ensure_guarded(project_id, path)
        self._usable_until[project_id] = now + _USABLE_SECONDS

    async def _ensure_guarded(self, project_id: str, path: str) -> None:
        """A change of nothing, for a version that cannot be: a service that refuses it honours If-Match."""
        doing, condition = "change the project", {"If-Match": _NO_VERSION}
        try:
            await self._transport.send("PATCH", path, doing=doing, on=project_id, body={}, headers=condition)
        except LostRace:
            self._guarded = True
            return
        except Blocked as error:
            if error.reason is not Reason.ELASTIC_REFUSED:
                raise _refused(error, path, project_id) from error
            self._guarded = True  # refused for its body, before the ETag was looked at
            return
        what = f"Elastic Cloud ignored If-Match for project {project_id}, so its list of filters is not written."
        raise Blocked(explain(Reason.PROJECT_LIST_NOT_GUARDED, what), on=project_id)

    async def _path(self, project_id: str) -> str:
        if project_id not in self._types:
            await self.all()
        kind = self._types.get(project_id)
        if kind is None:
            raise NotFound("Elastic Cloud shows no such project to this API key.", on=project_id)
        return f"{_PROJECTS}/{kind}/{project_id}"

    async def _all(self) -> tuple[Mapping[str, Any], ...]:
        listings = await asyncio.gather(*(self._of_type(kind) for kind in PROJECT_TYPES))
        return tuple(project for listing in listings for project in listing)

    async def _of_type(self, kind: str) -> list[Mapping[str, Any]]:
        doing = f"list {kind} projects"
        body = await self._transport.call("GET", f"{_PROJECTS}/{kind}", doing=doing, on=kind)
        found = [entry for entry in list_in(body, "items", doing) if isinstance(entry, Mapping)]
        named = {project_id: one for one in found if (project_id := identifier(one.get("id")))}
        self._types |= dict.fromkeys(named, kind)
        self._listed |= {project_id: filters_of(one) or () for project_id, one in named.items()}
        return found

    @staticmethod
    def _failed(reading: asyncio.Task[Any]) -> bool:
        return reading.cancelled() or reading.exception() is not None


def _type_in(path: str) -> str:
    return path.removeprefix(f"{_PROJECTS}/").partition("/")[0]


def _refused(error: Blocked, path: str, project_id: str) -> Blocked:
    """A refusal with what a person can do: whether it is the tier or a role, no code of the API says for certain."""
    if error.reason not in {Reason.ELASTIC_RIGHTS_MISSING, Reason.ELASTIC_REFUSED}:
        return error
    tier = _TIERS.get(_type_in(path))
    step = "Give the API key the role Admin or Editor on the project."
    if tier is not None:
        step = f"Check the project's tier: private connections need {tier}. If it has that, g{step[1:]}"
    return type(error)(explain(error.reason, error.what, step), on=project_id)
