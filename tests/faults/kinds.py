"""Which faults apply to which call, and what may follow a fault. Used by `search`; the table is at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults import acts
from tests.faults.acts import Act
from tests.harness.wire import Call, Edited, Fault, Frozen, Late, Outcome, Refusal, Stall

FOLLOWS = (
    "at once",
    "after the lease",
    "by the sweep",
    "by another worker, 10 minutes ahead",
    "by another worker, 10 minutes behind",
)
"""Who comes after the fault: the queue's next delivery, which no fault slows down here, or others."""
STALE = (1, 30, 120)
"""Seconds by which reads lag."""
ALTERNATING = -30
"""Every other read lags by 30 seconds."""
STORAGE = frozenset({"connections", "things", "hosts", "control", "journal", "checks", "queue"})
"""The tables, and the queue."""
ASSOCIATES = re.compile(r"/associations(/|$)|^PATCH .*/projects/")
"""Requests that associate a policy, or end that."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault at one call, and how both clouds' reads lag from there on."""

    words: str
    outcome: Outcome = None
    lag: int = 0
    azure_lag: int = 0
    """The same of Azure's reads."""
    in_force: tuple[int, int] = (0, 0)
    """For so many seconds after it is listed an association is not in force, and after it is not listed still is."""
    act: Act | None = None
    """What others do just before the call."""
    same: bool = True
    """Whether it ends as without the fault; else it only has to come to rest, and to say what it left."""

    @property
    def late(self) -> float:
        """Seconds by which something may take effect after this call."""
        return self.outcome.seconds if isinstance(self.outcome, Late | Frozen | Stall) else 0.0


def _halved(value: Any) -> Any:
    """Every list of an object at half its length."""
    if isinstance(value, dict):
        return {name: one[: len(one) // 2] if isinstance(one, list) else one for name, one in value.items()}
    return value


def _short(body: bytes) -> bytes:
    try:
        return json.dumps(_halved(json.loads(body))).encode()
    except ValueError:
        return body


def _damaged(body: bytes) -> bytes:
    return body[: len(body) // 2] if body else b"{"


def _lags(words: str, outcome: Outcome) -> Iterator[Kind]:
    """A fault with fresh reads and with each lag after it."""
    yield Kind(words, outcome)
    for seconds in STALE:
        yield Kind(f"{words}, reads {seconds} s behind", outcome, seconds)
    yield Kind(f"{words}, every other read 30 s behind", outcome, ALTERNATING)


KILLS = (Kind("killed before", Fault.CRASH_BEFORE), Kind("killed after", Fault.CRASH_AFTER))
LOST = (Kind("its answer is lost", Fault.LOSE_ANSWER),)
SLOW = tuple(Kind(f"its answer takes {seconds} s", Stall(seconds)) for seconds in (10, 60, 200))
FROZEN = tuple(Kind(f"the process stands still for {seconds} s before it", Frozen(seconds)) for seconds in (45, 300))
REFUSED = tuple(Kind(f"answered {status}", Refusal(status)) for status in (401, 403, 409, 412, 429, 500, 503))
OUTAGES = tuple(Kind(f"answered {status}", Refusal(status)) for status in (500, 503))
SHORT = (Kind("its lists are short", Edited("short", _short)),)
DAMAGED = (Kind("its answer is damaged", Edited("damaged", _damaged)),)
SLOW_AND_STALE = (Kind("its answer takes 10 s, reads 120 s behind", Stall(10), 120),)
"""What others do meanwhile has ended, with its answers, and does not show: their notes are all that tells of it."""
STALE_ONLY = tuple(kind for kind in _lags("", None) if kind.lag)
ELASTIC_WRITES = (
    *_lags("killed after", Fault.CRASH_AFTER),
    *_lags("its answer is lost", Fault.LOSE_ANSWER),
    *(
        kind
        for seconds in (5, 60, 595)
        for kind in (
            Kind(f"applied {seconds} s after the client gave up", Late(seconds)),
            Kind(f"applied {seconds} s after the client gave up, reads 120 s behind", Late(seconds), 120),
        )
    ),
    *(Kind(f"{kind.words}, reads 120 s behind", kind.outcome, 120) for kind in FROZEN),
)
IN_FORCE = (
    Kind("from then on associations are in force 120 s later", in_force=(120, 0)),
    Kind("from then on associations are in force 120 s longer", in_force=(0, 120)),
    Kind("its answer is lost, and associations are in force 120 s later", Fault.LOSE_ANSWER, in_force=(120, 0)),
)
AZURE_STALE = (
    *(Kind(f"reads of Azure {seconds} s behind", azure_lag=seconds) for seconds in STALE),
    Kind("every other read of Azure 30 s behind", azure_lag=ALTERNATING),
)
ARM_WRITES = (
    *(Kind(f"applied {seconds} s after the client gave up", Late(seconds)) for seconds in (5, 60, 595)),
    Kind("killed after, reads of Azure 120 s behind", Fault.CRASH_AFTER, azure_lag=120),
    Kind("its answer is lost, reads of Azure 120 s behind", Fault.LOSE_ANSWER, azure_lag=120),
)
STORAGE_WRITES = (
    Kind("applied 60 s after the client gave up", Late(60)),
    Kind("repeated by the SDK", Fault.REPEAT),
)


def _late(words: str, **more: Any) -> tuple[Kind, Kind]:
    """What others do at Elastic Cloud, seen at once and not."""
    return Kind(words, **more), Kind(f"{words}, reads 120 s behind", lag=120, **more)


LATE_EVENT = (Kind("an event tells a deletion that is over just before", act=acts.deletion_told_late),)
DAY_BACK = (Kind("the tables go back a day just before", act=acts.a_day_back, same=False),)
TWO_VERSIONS = (
    Kind("a newer version writes the records just before", act=acts.a_newer_version_writes),
    Kind("a version with other records takes them over just before, for 20 minutes", act=acts.a_newer_schema_writes),
)
PEOPLE_OF_ELASTIC = (
    *_late("a person takes the policies of others off just before", act=acts.others_leave, same=False),
    *_late("a person lets others in by our policies just before", act=acts.others_come_in, same=False),
)
TERRAFORM = _late("Terraform writes the projects' lists just before", act=acts.terraform_writes)
PEOPLE_OF_ZONES = (
    Kind("a person adds a name to the zones just before", act=acts.a_name_is_added, same=False),
    Kind(
        "a person adds a name to the zones just before, reads of Azure 120 s behind",
        act=acts.a_name_is_added,
        azure_lag=120,
        same=False,
    ),
)
PAUSE = (Kind("a pause begins just before", act=acts.a_pause_begins),)
FOR_GOOD = (Kind("from then on nothing may be deleted in Azure", act=acts.no_more_deletes, same=False),)


def kinds_of(call: Call) -> tuple[Kind, ...]:
    """The table: every fault that can happen at this call."""
    return (*_of_the_call(call), *_of_others(call))


def _of_others(call: Call) -> tuple[Kind, ...]:
    if call.polls:
        return ()
    match call.service, call.writes:
        case "elastic", writes:
            of_projects = TERRAFORM if "/projects/" in call.what else ()
            return (*PEOPLE_OF_ELASTIC, *of_projects, *PAUSE, *(LATE_EVENT if writes else ()))
        case "arm", writes:
            deletes = call.what.startswith("DELETE")
            return (*PEOPLE_OF_ZONES, *PAUSE, *(LATE_EVENT if writes else ()), *(FOR_GOOD if deletes else ()))
        case "connections", True:
            return (*DAY_BACK, *TWO_VERSIONS)
        case "things" | "control", True:
            return DAY_BACK
        case _:
            return ()


def _of_the_call(call: Call) -> tuple[Kind, ...]:
    match call.service, call.writes:
        case "elastic", True:
            in_force = IN_FORCE if ASSOCIATES.search(call.what) else ()
            return (*KILLS[:1], *ELASTIC_WRITES, *SLOW, *FROZEN, *REFUSED, *DAMAGED, *in_force)
        case "elastic", False:
            return (*KILLS, *LOST, *SLOW, *FROZEN, *REFUSED, *SHORT, *DAMAGED, *STALE_ONLY, *SLOW_AND_STALE)
        case "arm", True:
            return (*KILLS, *LOST, *ARM_WRITES, *SLOW, *FROZEN, *REFUSED, *DAMAGED)
        case "arm", False:
            return (*KILLS, *LOST, *SLOW, *FROZEN, *REFUSED, *SHORT, *DAMAGED, *AZURE_STALE)
        case service, True if service in STORAGE:
            return (*KILLS, *LOST, *STORAGE_WRITES, *SLOW, *FROZEN, *OUTAGES)
        case service, False if service in STORAGE:
            return (*KILLS[1:], *SLOW[1:], *FROZEN, *OUTAGES)
        case _:
            raise LookupError(f"no fault is known for {call.name}")
