"""What is wrong with the installation itself, over HTTP. Called by the HTTP triggers; changes nothing.

Everything is asked at once, each question with a deadline, so that a service that hangs is a finding and no hanging
answer. What follows from the answers is the pure part's: `shared.core.reports.doctor`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from shared.api.damaged_rows import unreadable_rows
from shared.api.deadlines import Question, ask_all
from shared.api.doctor_azure import azure_questions
from shared.clock import Clock, machine_clock
from shared.clouds.answer_headers import server_time
from shared.clouds.azure.arm_checks import ArmChecks
from shared.context import Context
from shared.core.guards.consent import entries_without_target
from shared.core.model.errors import AutopilotError, InvalidSettings
from shared.core.model.messages import QUEUE
from shared.core.model.organizations import DEFAULT
from shared.core.model.services import Family
from shared.core.ports import PrivateConnections
from shared.core.reports.doctor import clouds, judge
from shared.core.reports.doctor.clouds import KEY
from shared.core.reports.doctor.events import judge_events
from shared.core.reports.doctor.findings import Answer, Asked, Finding, Report, Topic
from shared.installation.event_topics import present
from shared.installation.last_sweep import recall
from shared.installation.pause import present_pause
from shared.installation.recovered import recovered_list
from shared.installation.services import families_in_play
from shared.settings.agreement import LONGEST_LAG
from shared.state.connect import POISON_SUFFIX
from shared.state.ports import Storage
from shared.state.rows import ControlRow, QueueLook
from shared.version import VERSION

T = TypeVar("T")
Questions = dict[Asked, Question]
_AskElastic = Callable[[PrivateConnections], Awaitable[Any]]

WORK = Asked(Topic.STORAGE, f"queue {QUEUE}")
POISON = Asked(Topic.STORAGE, f"queue {QUEUE}{POISON_SUFFIX}")
SWEEP = Asked(Topic.CONTROL, "the last sweep")
PAUSE = Asked(Topic.CONTROL, "the pause")
ROWS = Asked(Topic.CONTROL, "the rows of the tables")
RECOVERED = Asked(Topic.CONTROL, "what was recovered")
DECIDING = Asked(Topic.CONTROL, "the keys of those who may decide")
EVENTS = Asked(Topic.CONTROL, "what delivers events")
DEPLOYMENTS, PROJECTS = "deployments", "projects"
FAMILIES_SECONDS = 5.0
"""For what tells which families there are: it holds up the questions to Elastic Cloud."""
NO_KEY = "doctor"
"""A key that no row has: asking for it tries the right to read, deleting it the right to write."""


async def examine(context: Context) -> Report:
    """Ask everything that the app rests on."""
    began = _seconds()
    machine = machine_clock(context.clock)
    arm = ArmChecks(context.endpoints.clients, machine)
    own: Questions = {
        SWEEP: lambda: recall(context),
        PAUSE: lambda: present_pause(context),
        ROWS: lambda: unreadable_rows(context),
        RECOVERED: lambda: recovered_list(context),
        EVENTS: lambda: present(context),
        DECIDING: context.deciding_keys.names,
    }
    answers, elastic = await asyncio.gather(
        ask_all(_storage(context.storage) | own | azure_questions(context, arm)), _ask_elastic(context, machine)
    )
    now = context.clock.now()
    findings = [
        *judge.judge_settings(len(context.settings.scope.subscriptions), context.settings.installation.mode),
        *judge.judge_lag(context.settings.timing.lag, LONGEST_LAG),
        *judge.judge_near_names(map(str, context.settings.near_names)),
        *_of_storage(answers, now),
        *(judge.judge_sweep(answers[SWEEP].value, now) if answers[SWEEP].error is None else ()),
        *_of_rows(answers[ROWS]),
        *(judge.judge_pause(answers[PAUSE].value) if answers[PAUSE].error is None else ()),
        *(judge.judge_recovered(len(waiting.things)) if (waiting := answers[RECOVERED].value) is not None else ()),
        *judge.judge_deciding_keys(answers[DECIDING]),
        *clouds.judge_azure(_about(Topic.AZURE, answers)),
        *(judge_events(seen.looks) if (seen := answers[EVENTS].value) is not None else ()),
        *_of_elastic(context, elastic, now),
        *judge.judge_clocks({"Azure": arm.ahead, "Elastic Cloud": elastic.ahead}),
    ]
    took = round((_seconds() - began) * 1000)
    return Report(now, took, tuple(findings), context.settings.installation.instance_id, VERSION)


async def examine_without_settings(error: InvalidSettings, storage: Storage | None, clock: Clock) -> Report:
    """What can be said while the settings are wrong: all that is wrong with them, and whether storage answers."""
    began = _seconds()
    answers = await ask_all(_storage(storage)) if storage else {}
    findings = judge.judge_wrong_settings(error)
    findings += _of_storage(answers, clock.now()) if storage else []
    return Report(clock.now(), round((_seconds() - began) * 1000), tuple(findings), version=VERSION)


# -- asking --------------------------------------------------------------------------------------------------------


def _storage(storage: Storage) -> Questions:
    gone = ControlRow(NO_KEY, etag='W/"none"')
    tables: dict[str, Question] = {
        "table connections": lambda: storage.connections.get(NO_KEY),
        "table journal": lambda: storage.journal.newest(NO_KEY, 1),
        "table checks": lambda: storage.checks.newest(NO_KEY, 1),
        "table control": lambda: storage.control.get(NO_KEY),
        "writing to table control": lambda: storage.control.delete(gone),
    }
    questions = {Asked(Topic.STORAGE, name): question for name, question in tables.items()}
    return questions | {WORK: partial(_look, storage), POISON: partial(_poisoned, storage)}


async def _look(storage: Storage) -> QueueLook:
    # Not handed over as a method: the port is made with its first use, which may fail.
    return await storage.queue.look()


async def _poisoned(storage: Storage) -> int:
    return await storage.queue.poisoned()


class _OfElastic(NamedTuple):
    """What Elastic Cloud answered, and about which families; `ahead` as in `ArmChecks`, by any answer."""

    answers: dict[Asked, Answer[Any]]
    families: frozenset[Family]
    ahead: timedelta | None


async def _ask_elastic(context: Context, machine: Clock) -> _OfElastic:
    """Each organization, about the families of the endpoints that there are: a key needs no role for others."""
    families = await _families(context)
    asked = {key: _ElasticClock(api, machine) for key, api in context.elastic.items() if key[1] in families}
    questions: Questions = {}
    for (name, family), elastic in asked.items():
        where = _where(name)
        questions[Asked(Topic.ELASTIC, KEY, where)] = elastic.read_key
        about = _of_deployments(context) if family is Family.HOSTED else _of_projects()
        questions |= {Asked(Topic.ELASTIC, what, where): partial(elastic.ask, ask) for what, ask in about.items()}
    answers = await ask_all(questions)
    return _OfElastic(answers, families, next((one.ahead for one in asked.values() if one.ahead is not None), None))


async def _families(context: Context) -> frozenset[Family]:
    try:
        async with asyncio.timeout(FAMILIES_SECONDS):
            return await families_in_play(context)
    except (AutopilotError, TimeoutError):  # the findings about storage say so
        return frozenset({Family.HOSTED})


def _of_deployments(context: Context) -> dict[str, _AskElastic]:
    region = context.options.services.of_family(Family.HOSTED)[0].elastic_region
    denies = bool(context.options.targets.deployments_denied.entries)
    return {
        "private connection policies": lambda api: api.policies(region),
        DEPLOYMENTS: lambda api: api.all_targets() if denies else api.targets([NO_KEY]),
    }


def _of_projects() -> dict[str, _AskElastic]:
    return {"policies of projects": lambda api: api.policies(), PROJECTS: lambda api: api.all_targets()}


def _where(organization: str) -> str:
    """How questions name an organization: the one that all have needs no name."""
    return "" if organization == DEFAULT else organization


class _ElasticClock:
    """Elastic Cloud, with an ear for the time in its answers; `ahead` as in `ArmChecks`."""

    def __init__(self, api: PrivateConnections, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self.ahead: timedelta | None = None

    async def ask(self, question: Callable[[PrivateConnections], Awaitable[T]]) -> T:
        """Ask, and compare the clocks as the answer comes: later it would be an old one's time."""
        self._api.server_date = None
        try:
            answer = await question(self._api)
        except AutopilotError:
            self._note_time()
            raise
        self._note_time()
        return answer

    async def read_key(self) -> None:
        """Read the key where it is kept, which asks nothing of Elastic Cloud."""
        await self._api.read_key()

    def _note_time(self) -> None:
        date = self._api.server_date
        there = None if date is None else server_time({"Date": date})
        if there is not None:
            self.ahead = self._clock.now() - there


# -- telling -------------------------------------------------------------------------------------------------------


def _of_storage(answers: dict[Asked, Answer[Any]], now: datetime) -> list[Finding]:
    findings = judge.judge_storage(_about(Topic.STORAGE, answers))
    look, poisoned = answers[WORK], answers[POISON]
    if look.value is not None:
        findings += judge.judge_queue(look.value.waiting, look.value.oldest, now)
    if poisoned.value is not None:
        findings += judge.judge_poison(poisoned.value)
    return findings


def _of_rows(answer: Answer[Any]) -> list[Finding]:
    """Where the tables cannot be read at all, the finding about storage says so."""
    if answer.value is None:
        return []
    return judge.judge_rows([(one.table, one.row, one.what, one.newer) for one in answer.value])


def _of_elastic(context: Context, elastic: _OfElastic, now: datetime) -> list[Finding]:
    """Each organization by itself: its key, its end, what it may read."""
    asked = elastic.answers
    findings: list[Finding] = []
    for name in context.elastic.names:
        about = {question: answer for question, answer in asked.items() if question.where == _where(name)}
        apis = [context.elastic.of(name, family) for family in elastic.families]
        ends = next((api.key_expires for api in apis if api.key_expires is not None), None)
        findings += clouds.judge_elastic(about, ends, now, name, renewal=apis[0].key_renewal)
    findings += clouds.judge_projects({q.where: answer for q, answer in asked.items() if q.what == PROJECTS})
    shown = [answer for question, answer in asked.items() if question.what in {DEPLOYMENTS, PROJECTS}]
    if all(answer.error is None for answer in shown):
        targets = [target for answer in shown for target in answer.value or ()]
        findings += judge.judge_denied(entries_without_target(targets, context.options))
    return findings


def _about(topic: Topic, answers: dict[Asked, Answer[Any]]) -> dict[Asked, Answer[Any]]:
    return {asked: answer for asked, answer in answers.items() if asked.topic is topic}


def _seconds() -> float:
    return asyncio.get_running_loop().time()
