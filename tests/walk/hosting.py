"""What the platform does during a random walk: deliver, lose and double events, run the timer, kill workers, fail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from local.world import HUB_VNET
from shared.core.model.errors import RetryLater
from shared.installation.pause import lift_pause, pause, present_pause
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Fault, Outcome, Refusal
from tests.walk.scene import ZONE_GROUPS, Deed, Scene


@dataclass(slots=True)
class Weather:
    """What goes wrong with the calls of the workers."""

    drawn: Random
    dies_in: int = 0
    """Calls until the worker process dies; 0: it does not."""
    after: bool = False
    """Whether the call at which it dies is still applied."""
    failing: int = 0
    """Calls that may still fail."""
    service: str = ""
    share: float = 0.0
    refusals: tuple[int, ...] = ()
    """Further answers: 403 while a right or a key is missing."""

    def __call__(self, call: Call) -> Outcome:
        """What happens to a call."""
        if self.dies_in:
            self.dies_in -= 1
            if not self.dies_in:
                return Fault.CRASH_AFTER if self.after else Fault.CRASH_BEFORE
        if not self.failing or call.service != self.service or self.drawn.random() > self.share:
            return None
        self.failing -= 1
        lost = call.service in {"arm", "elastic", "queue"} and self.drawn.random() < 0.5
        return Fault.LOSE_ANSWER if lost else Refusal(self.drawn.choice([429, 500, 503, *self.refusals]))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.dies_in, self.failing = 0, 0


async def settle(scene: Scene, drawn: Random) -> str | None:
    seconds = drawn.choice([5, 60, 60, 700, 4000])
    await scene.pass_time(seconds)
    return f"{seconds} seconds pass"


async def handle_some(scene: Scene, drawn: Random) -> str | None:
    done = 0
    for _ in range(drawn.randrange(1, 4)):
        message = scene.estate.queue.receive()
        if message is None:
            break
        with suppress(RetryLater):
            await scene.estate.handle(message)
        done += 1
    return f"{done} message(s) are handled" if done else None


async def handle_two_at_once(scene: Scene, drawn: Random) -> str | None:
    """Each by a process of its own, perhaps about one endpoint."""
    estate = scene.estate
    messages = [message for message in (estate.queue.receive(), estate.queue.receive()) if message is not None]
    if len(messages) < 2:
        for message in messages:
            with suppress(RetryLater):
                await estate.handle(message)
        return "a message is handled" if messages else None
    workers = [estate.new_worker() for _ in messages]
    found = await asyncio.gather(
        *(estate.handle(message, worker) for message, worker in zip(messages, workers, strict=True)),
        return_exceptions=True,
    )
    for error in found:
        if error is not None and not isinstance(error, RetryLater):
            raise error
    return "two messages are handled at once"


async def sweep(scene: Scene, drawn: Random) -> str | None:
    estate = scene.estate
    try:
        found = await estate.sweep()
    except BaseException as error:
        if isinstance(error, RetryLater):
            return f"the timer fails: {error}"
        if not estate.worker.wire.dead:
            raise
        estate.worker = estate.new_worker()
        return "the timer's worker dies"
    return f"the timer finds {found.enqueued} to look at{' and stops removals' if found.stopped else ''}"


async def repeat_a_message(scene: Scene, drawn: Random) -> str | None:
    """A message is delivered again; or a person asks for a run."""
    messages = scene.estate.queue.messages
    if messages and drawn.random() < 0.5:
        await scene.estate.queue.send(drawn.choice(messages).text)
        return "a message is doubled"
    if not scene.alive:
        return None
    place = scene.alive[drawn.choice(sorted(scene.alive))]
    cause = drawn.choice(["manual", "event-write", "event-delete", "timer"])
    await scene.estate.send(place.id, cause)
    return f"a message {cause} about {place.name} is sent"


async def lose_tables(scene: Scene, drawn: Random) -> str | None:
    """Now and then a person deletes the storage; not while a policy that was just made does not show yet."""
    if drawn.random() < 0.7:
        return None
    await scene.pass_time(120)
    scene.estate.storage.connections.clear()
    scene.tables_lost = True
    return "all records of connections are lost"


async def change_events(scene: Scene, drawn: Random) -> str | None:
    settings = scene.estate.events.settings
    settings.drop = drawn.random() < 0.4
    settings.duplicate = drawn.random() < 0.3
    settings.delivery_delay = drawn.choice([0.0, 0.0, 90.0])
    settings.reorder_within = drawn.choice([0.0, 60.0])
    return f"events: lost={settings.drop}, doubled={settings.duplicate}, late={settings.delivery_delay}"


async def pause_or_lift(scene: Scene, drawn: Random) -> str | None:
    """A person pauses the app, or lets it go on."""
    by_hand = replace(scene.estate.worker.context, storage=scene.estate.storage)
    if await present_pause(by_hand) is not None:
        await lift_pause(by_hand, ASKED)
        scene.paused_until = None
        return "the pause is lifted"
    minutes = drawn.choice([5, 30, 120])
    scene.paused_until = (await pause(by_hand, {"minutes": minutes}, ASKED)).until
    return f"the app is paused for {minutes} minutes"


SETTINGS = {
    "MODE": ("observe", "enforce", "enforce"),
    "ON_DELETE": ("retain", "cleanup", "cleanup"),
    "DNS_RECORD_MODE": ("first", "union"),
    "DNS_LINK_VNETS": (HUB_VNET, ""),
    "DNS_ZONE_RESOURCE_GROUPS": ("", ZONE_GROUPS[0], ", ".join(ZONE_GROUPS)),
    "ELASTIC_CLAIM": ("false", "true"),
    "ELASTIC_DEPLOYMENTS_ALLOWED": ("*", "logs-eastus2, search-eastus2"),
    "REMOVAL_LIMIT": ("", "3", "1"),
}


async def redeploy(scene: Scene, drawn: Random) -> str | None:
    """A person changes a setting; the app starts anew with it."""
    name = drawn.choice(sorted(SETTINGS))
    value = drawn.choice(SETTINGS[name])
    scene.estate.settings = scene.estate.settings | {name: value}
    scene.estate.worker = scene.estate.new_worker()
    return f"the app is deployed with {name}={value}"


def change_weather(weather: Weather) -> Deed:
    """Let the worker die at some call, or a service fail for some calls."""

    async def deed(_: Scene, drawn: Random) -> str | None:
        if drawn.random() < 0.6:
            weather.dies_in, weather.after = drawn.randrange(1, 60), drawn.random() < 0.5
            return f"a worker dies {'after' if weather.after else 'before'} {weather.dies_in} calls"
        weather.failing, weather.share = drawn.randrange(1, 12), drawn.choice([0.3, 1.0])
        weather.service = drawn.choice(["arm", "arm", "elastic", "elastic", "connections", "queue", "control"])
        weather.refusals = (403, 403) if weather.service in {"arm", "elastic"} and drawn.random() < 0.3 else ()
        how = ", some for want of a right" if weather.refusals else ""
        return f"{weather.service} fails {weather.failing} times, {weather.share:.0%} of the calls{how}"

    return deed


def deeds(weather: Weather) -> tuple[tuple[int, Deed], ...]:
    """How often each is done."""
    return (
        (16, settle),
        (5, handle_some),
        (3, handle_two_at_once),
        (8, sweep),
        (3, repeat_a_message),
        (1, lose_tables),
        (3, change_events),
        (1, pause_or_lift),
        (2, redeploy),
        (5, change_weather(weather)),
    )
