"""Elastic's Private Link Services for projects, as Elastic's API tells them: new regions work without a release.

Asked at most once an hour in the whole installation, and only where an endpoint has an alias of this family. What it
told is kept in table `control`, and never forgotten: an endpoint of a region that is missing from one answer stands on.
Used by the sweep, by `recover`, and by a run or plan of an endpoint whose alias is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.context import Context, log
from shared.core.model.errors import AutopilotError, LostRace
from shared.core.model.json_values import stored_instant, texts
from shared.core.model.resources import Endpoint
from shared.core.model.services import Family, Service, service_of_alias
from shared.state.control import DamagedRow, OnLostRace, read, update

NAME = "elastic-services"
ASK_AGAIN = timedelta(hours=1)
JUST_NOW = timedelta(seconds=10)
LOOKS, LOOK_AGAIN = 4, 1.0
"""How often, and after how many seconds each, one looks what another worker was told that asks just now."""
MOST = 300
"""Aliases that are kept: a row has a size, and Azure has fewer regions."""


class _Told(NamedTuple):
    aliases: tuple[str, ...]
    asked_at: datetime | None


async def follow_services(context: Context) -> None:
    """Know what any worker of the installation was told; one read of a row. Raises what the storage raises.

    A row that is damaged tells nothing: it is written anew when Elastic Cloud is asked.
    """
    try:
        told = await read(context.storage.control, NAME, _understood, _Told((), None))
    except DamagedRow as error:
        log.warning("Elastic's services for projects are not known as stored: %s", error)
        return
    context.know_services(_services(told.aliases))


async def ask_for_services(context: Context, endpoints: Iterable[Endpoint]) -> None:
    """Ask Elastic Cloud if an hour has passed and one of these leads to projects; raises what keeps it from telling."""
    if any(_leads_to_projects(endpoint.alias) for endpoint in endpoints):
        await _ask(context)


async def families_in_play(context: Context) -> frozenset[Family]:
    """The families of the endpoints that the app looks after, or has; of deployments where it has none yet.

    A key needs no role for another. Raises what the storage raises.
    """
    known = {row.columns.family async for row in context.storage.connections.list_columns()}
    if await context.storage.control.get(NAME) is not None:
        known.add(Family.SERVERLESS)
    return frozenset(one for one in Family if one in known) or frozenset({Family.HOSTED})


async def is_known_now(context: Context, alias: str) -> bool:
    """Whether an alias that was not known is a service by what is stored, or by what Elastic Cloud tells now."""
    if not _leads_to_projects(alias):
        return False
    try:
        await follow_services(context)
        if context.options.services.recognise(alias).service is None and not await _ask(context):
            await _answer_to_others(context, alias)
    except AutopilotError as error:
        log.warning("Elastic's services for projects not read: %s", error)
    return context.options.services.recognise(alias).service is not None


async def _answer_to_others(context: Context, alias: str) -> None:
    """Wait a moment where another worker asks just now, as for endpoints that come together; else a sweep sees it."""
    for _ in range(LOOKS):
        told = await read(context.storage.control, NAME, _understood, _Told((), None))
        if told.asked_at is None or context.clock.now() - told.asked_at > JUST_NOW:
            return
        await context.clock.sleep(LOOK_AGAIN)
        await follow_services(context)
        if context.options.services.recognise(alias).service is not None:
            return


async def _ask(context: Context) -> bool:
    """By any organization's key: it is one service, and the list is the same for all. False: it was asked already."""
    if not await _begin(context):
        return False
    refused: AutopilotError | None = None
    for api in context.elastic.of_family(Family.SERVERLESS).values():
        try:
            services = await api.services()
        except AutopilotError as error:
            refused = refused or error
            continue
        await _keep(context, services)
        return True
    if refused is not None:
        raise refused
    return True


async def _begin(context: Context) -> bool:
    """Note that Elastic Cloud is asked now, before it is: whether an hour has passed, and no other worker does."""
    due = False

    def begun(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal due
        asked, now = None if document is None else _understood(document).asked_at, context.clock.now()
        due = asked is None or not timedelta(0) <= now - asked < ASK_AGAIN
        return {**(document or {}), "askedAt": now.isoformat()} if due else document

    try:
        await update(context.storage.control, context.clock, NAME, begun, lost=OnLostRace.RAISE, mend=True)
    except LostRace:
        return False
    return due


async def _keep(context: Context, services: Iterable[Service]) -> None:
    aliases: tuple[str, ...] = ()

    def kept(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        nonlocal aliases
        before = () if document is None else _understood(document).aliases
        aliases = tuple(dict.fromkeys((*before, *(one.alias for one in services))))[:MOST]
        # What was told last goes last: of two for one region it is the region's.
        last = {one.alias for one in services}
        aliases = (*(one for one in aliases if one not in last), *(one for one in aliases if one in last))
        return {**(document or {}), "services": list(aliases)}

    await update(context.storage.control, context.clock, NAME, kept, mend=True)
    context.know_services(_services(aliases))


def _understood(document: Mapping[str, Any]) -> _Told:
    asked = document.get("askedAt")
    return _Told(texts(document.get("services")), None if asked is None else stored_instant(asked))


def _services(aliases: Iterable[str]) -> tuple[Service, ...]:
    found = (service_of_alias(alias) for alias in aliases)
    return tuple(one for one in found if one is not None and one.family is Family.SERVERLESS)


def _leads_to_projects(alias: str) -> bool:
    seems = service_of_alias(alias.strip())
    return seems is not None and seems.family is Family.SERVERLESS
