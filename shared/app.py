"""What the triggers work with: the process's `Context`, built from the app settings by the first that asks for it.

Importing this module costs little and never fails; settings are checked when `start` is called, and an error in them is
logged in full and raised again to every trigger that needs them. A failing import would leave the app with no functions
at all, and nothing to say why.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from shared.core.model.errors import InvalidSettings
from shared.settings import DEFAULT_SCHEDULE, SCHEDULE_SETTING, load, misspelt
from shared.settings.schedule import is_schedule
from shared.version import VERSION

if TYPE_CHECKING:
    from shared.clock import ServiceClock
    from shared.clouds.azure.event_grid import Topic
    from shared.context import Context
    from shared.state.connect import AzureStorage
    from shared.state.ports import Storage, WorkQueue

log = logging.getLogger("privatelink")
_TALKATIVE = ("azure", "httpx")
"""Libraries that write lines about every request at the level that the worker sets for all: INFO."""


@cache
def _built() -> Context | InvalidSettings:
    from functools import partial

    from shared import telemetry
    from shared.composition import build

    if os.environ.get(telemetry.INSIGHTS):
        telemetry.measure(partial(telemetry.azure_monitor, os.environ))
    # Here and not while modules load: the host drops lines that are written before the first invocation.
    log.info("Private Link Autopilot %s", VERSION)
    try:
        return build(os.environ)
    except InvalidSettings as error:
        log.error("%s", error)  # noqa: TRY400 - its text is for a person; a traceback would hide it
        return error


@cache
def _built_topic() -> Topic | None:
    from shared.composition import build_topic

    return build_topic(os.environ)


@cache
def _built_storage() -> AzureStorage | None:
    from shared.composition import build_storage

    try:
        return build_storage(os.environ, clock_alone())
    except InvalidSettings:
        return None


_provided: list[tuple[Context | InvalidSettings, Storage | None, Topic | None]] = []
_checked: dict[int, InvalidSettings | None] = {}
"""What `check_tenants` found, by the context that it looked at."""


@contextmanager
def provide(
    context: Context | InvalidSettings,
    storage: Storage | None = None,
    *,
    topic: Topic | None = None,
    checked: bool = True,
) -> Iterator[None]:
    """For tests: the triggers get this context, or this error of the settings, until the `with` block ends.

    The environment is not read. `storage` and `topic` are what `storage_alone` and `topic_alone` answer. An inner
    block goes before an outer one. `checked`: whether `check_tenants` takes it as it is.
    """
    _provided.append((context, storage, topic))
    if checked:
        _checked[id(context)] = None
    try:
        yield
    finally:
        _provided.pop()
        _checked.pop(id(context), None)


def forget() -> None:
    """For tests: drop what was built, so that the next trigger builds it from the environment as it is then."""
    _built.cache_clear()
    _built_storage.cache_clear()
    _built_topic.cache_clear()
    _checked.clear()


def start() -> Context:
    """The process's context; raises InvalidSettings on every call while the settings are wrong."""
    context = _context()
    if isinstance(context, InvalidSettings):
        raise context
    wrong = _checked.get(id(context))
    if wrong is not None:
        raise wrong
    return context


async def check_tenants() -> None:
    """Once per process, before its first work: whether a setting names a subscription of another tenant.

    Then `start` raises that as it does for every other wrong setting. Raises nothing itself.
    """
    context = _context()
    if isinstance(context, InvalidSettings) or id(context) in _checked:
        return
    from shared.installation.tenants import wrong_tenants

    wrong = await wrong_tenants(context)
    _checked[id(context)] = wrong
    if wrong is not None:
        log.error("%s", wrong)


async def started() -> Context:
    """The same with all that the app has found out by itself: the subscriptions below the management groups."""
    await check_tenants()
    context = start()
    if context.settings.scope.management_groups:
        from shared.installation.watched import with_found

        context = await with_found(context)
    return context


def storage_alone() -> Storage | None:
    """The storage by itself, for what must work while other settings are wrong; None where its own are, too."""
    return _provided[-1][1] if _provided else _built_storage()


def topic_alone() -> Topic | None:
    """The topic of notifications by itself, in the same way."""
    return _provided[-1][2] if _provided else _built_topic()


@cache
def clock_alone() -> ServiceClock:
    """What time it is for the storage of `storage_alone`; before it has answered, the machine's time."""
    from shared.clock import ServiceClock, SystemClock

    return ServiceClock(SystemClock())


def work_queue() -> WorkQueue:
    """The work queue, also while other settings are wrong; raises InvalidSettings where the storage's own are."""
    context = _context()
    if not isinstance(context, InvalidSettings):
        return context.storage.queue
    alone = storage_alone()
    if alone is None:
        raise context
    return alone.queue


def _context() -> Context | InvalidSettings:
    return _provided[-1][0] if _provided else _built()


def quiet_libraries() -> None:
    """Let the libraries speak of trouble only. Called when the app is loaded.

    The worker logs everything from INFO on, and host.json keeps every line: two of the Azure SDK and one of httpx for
    each request would be most of the log and of its cost, and say nothing that the lines of `telemetry` do not.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def check_settings() -> None:
    """Log what is wrong with the settings; called once, when the app is loaded; raises nothing."""
    for near in misspelt(os.environ):
        log.warning("%s", near)
    try:
        load(os.environ)
    except InvalidSettings as error:
        log.error("%s", error)  # noqa: TRY400 - its text is for a person; a traceback would hide it


def health_schedule() -> str:
    """The schedule of `check_health`, for its decorator; a wrong one is replaced so that the app still loads."""
    value = os.environ.get(SCHEDULE_SETTING, "").strip()
    return value if is_schedule(value) else DEFAULT_SCHEDULE
