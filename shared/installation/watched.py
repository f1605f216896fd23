"""Which subscriptions are watched: those that the settings name, and those below the management groups they name.

Each sweep asks Azure which these are (`find`) and keeps the answer in table `control`; everything between two sweeps
goes by what is kept (`with_found`). A group that cannot be read keeps what it had: a subscription leaves when Azure
answers without it, not when Azure does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.clouds.azure.management_groups import subscriptions_below
from shared.context import Context, log
from shared.core.model.errors import AutopilotError, RetryLater, UnusableAnswer
from shared.core.model.json_values import entries, text
from shared.state.control import DamagedRow, read, update

DOCUMENT = "watched-subscriptions"


class WatchedUnknown(RetryLater):
    """What is kept cannot be understood; the next sweep writes it anew. Until then nothing counts as out of scope."""


Found = dict[str, tuple[str, ...]]
"""Ids of subscriptions, in lower case, by the lower-cased name of their management group."""


async def with_found(context: Context) -> Context:
    """The same with every subscription that the last sweep found. Raises what the storage raises."""
    if not context.settings.scope.management_groups:
        return context
    try:
        return _including(context, await read(context.storage.control, DOCUMENT, _stored, {}))
    except DamagedRow as error:
        raise WatchedUnknown("It is not known which subscriptions are watched.", on=error.on, after=60.0) from error


async def find(context: Context) -> tuple[Context, dict[str, AutopilotError]]:
    """The same with every subscription that there is now, and the management groups that could not be read."""
    groups = context.settings.scope.management_groups
    if not groups:
        return context, {}
    answers = await asyncio.gather(*(_below(context, group) for group in groups))
    errors = {group: one for group, one in zip(groups, answers, strict=True) if isinstance(one, AutopilotError)}
    found: Found = {}

    def kept(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        before = {} if document is None else _stored(document)
        for group, answer in zip(groups, answers, strict=True):
            name, had = group.lower(), before.get(group.lower(), ())
            found[name] = had if isinstance(answer, AutopilotError) else answer
            if had and not found[name]:  # Azure has shown short lists before; an emptied group is rarely still named
                found[name] = had
                errors[group] = _emptied(group)
            _tell(group, set(had), set(found[name]))
        return {"groups": {name: list(ids) for name, ids in sorted(found.items())}}

    await update(context.storage.control, context.clock, DOCUMENT, kept, mend=True)
    return _including(context, found), errors


async def _below(context: Context, group: str) -> tuple[str, ...] | AutopilotError:
    try:
        return await subscriptions_below(context.endpoints.clients, group)
    except AutopilotError as error:
        return error


def _emptied(group: str) -> AutopilotError:
    what = f"Azure shows no subscription below the management group {group} any more; those of before are kept."
    step = "Take the group out of AZURE_MANAGEMENT_GROUPS if that is so."
    return UnusableAnswer(what, on=group, next_step=step)


def _tell(group: str, before: set[str], now: set[str]) -> None:
    for subscription in sorted(now - before):
        log.info("subscription %s has joined management group %s: it is watched now", subscription, group)
    for subscription in sorted(before - now):
        log.warning("subscription %s has left management group %s: it is no longer watched", subscription, group)


def _including(context: Context, found: Found) -> Context:
    named = [group.lower() for group in context.settings.scope.management_groups]
    scope = context.settings.scope.including(one for group in named for one in found.get(group, ()))
    return replace(context, settings=replace(context.settings, scope=scope))


def _stored(document: Mapping[str, Any]) -> Found:
    return {str(name): tuple(map(text, entries(ids))) for name, ids in document["groups"].items()}
