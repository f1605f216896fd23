"""A model of the policy's making and removal, searched completely by `test_policy_post_model`.

The POST is not idempotent: it makes a policy each time it takes effect, and its answer may be lost. Two workers serve
one endpoint; a person may delete the policy once, and the endpoint may be deleted once. A worker takes the steps of
`reconciler.elastic_branch` (read, `plan_policy`, `_create_policy`), and once the endpoint is gone those of
`reconciler.deleted`. What a list and the record allow is decided by the product's own `plan_policy` and `search_ends`;
here is what may happen around it. Wrong is: two policies of the endpoint exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, auto
from functools import cache
from typing import NamedTuple

from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.planning.policy import may_show_later, plan_policy, search_ends
from tests.core.core_parts import KNOWN, desired, plan_options, policy

AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When the record was read, in every decision; a tick is a second."""
NONE = -99
MOST = 4
"""Policies that are ever made: more cannot be needed to go wrong."""
DESIRED = desired()


class At(IntEnum):
    """Where a worker is."""

    REST = auto()
    READ = auto()
    PLANNED = auto()
    """The plan is to create; the time is not looked at yet."""
    TIMED = auto()
    """The storage service's time is read: the intent's instant stands."""
    NOTED = auto()
    SENT = auto()
    GOT = auto()
    REFUSED = auto()
    REMOVING = auto()
    DONE = auto()


class Record(NamedTuple):
    """What the record says of the policy; instants in ticks from now, `NONE` for none."""

    post_until: int = NONE
    policy: int = NONE
    learned_at: int = NONE


class Worker(NamedTuple):
    at: At = At.REST
    left: int = 0
    """Ticks to its deadline; after its read the ticks that have passed since."""
    valid: bool = False
    """Whether the record is as it read or wrote it; another's write means that its lease is lost."""
    read: Record | None = None
    """As it was read."""
    found: tuple[int, ...] = ()
    """What it goes on with: the id that it got, or the policies that it is about to delete."""


class Flight(NamedTuple):
    ticks: int
    owner: int
    """The worker that waits for its answer; -1: none."""


class State(NamedTuple):
    policies: tuple[tuple[bool, int], ...] = ()
    """Each that was ever made: whether it exists, and the ticks in which a read may still show the opposite."""
    record: Record = Record()
    workers: tuple[Worker, ...] = ()
    flights: tuple[Flight, ...] = ()
    person: bool = False
    """A person may still delete the policy."""
    may_end: bool = False
    ended: bool = False
    removed: bool = False
    """The removal is done: no run looks again."""


@dataclass(frozen=True)
class Rules:
    """As the code has them; each other value is a weaker one, which the search must see break."""

    whole_search: bool = True
    """POLICY_SEARCH_SECONDS covers late writes and lag; else only late writes."""
    own_intent: bool = True
    """The id of a 201 is recorded only over the intent that was written for that POST."""
    stop_at_deadline: bool = True
    found_keeps_window: bool = True
    """That a policy is found does not end the window of a POST in doubt."""
    removal_waits: bool = True
    """A removal ends with a list begun after the window."""
    answered_may_lag: bool = True
    """A policy whose POST was answered is not given up by reads within VISIBILITY_SECONDS: in a removal, too."""


@dataclass(frozen=True)
class Bounds:
    late: int = 1
    lag: int = 1
    patience: int = 1
    person: bool = False
    ends: bool = False
    workers: int = 2
    flights: int = 2


REST, DONE = Worker(), Worker(At.DONE)
Step = tuple[str, State]


class Model:
    """All that can happen, by these rules and within these bounds."""

    def __init__(self, bounds: Bounds, rules: Rules = Rules()) -> None:
        self.bounds, self.rules = bounds, rules
        self.search = bounds.late + (bounds.lag if rules.whole_search else 0)
        self.options = plan_options(policy_search=float(self.search), visibility=float(bounds.lag))
        self.decide = cache(self._decide)

    def initial(self) -> State:
        return State(workers=(REST,) * self.bounds.workers, person=self.bounds.person, may_end=self.bounds.ends)

    def is_wrong(self, state: State) -> bool:
        return sum(here for here, _ in state.policies) > 1

    def successors(self, state: State) -> Iterator[Step]:
        for worker in range(len(state.workers)):
            yield from self.worker(state, worker)
            if state.workers[worker].at not in (At.REST, At.DONE):
                yield f"W{worker + 1} is killed.", _given_up(state, worker)
        for flight in state.flights:
            yield from self.flight(state, flight)
        if state.person:
            for one, (here, _) in enumerate(state.policies):
                if here:
                    yield "A person deletes the policy.", self._deleted(state, one)._replace(person=False)
        if state.may_end:
            workers = tuple(REST if one.at is At.DONE else one for one in state.workers)
            yield "The endpoint is deleted.", state._replace(may_end=False, ended=True, workers=workers)
        yield "A tick passes.", self.tick(state)

    def tick(self, state: State) -> State:
        return state._replace(
            policies=tuple((here, max(0, stale - 1)) for here, stale in state.policies),
            record=self._aged(state.record, 1),
            workers=tuple(self._worker_aged(one) for one in state.workers),
            flights=tuple(sorted(one._replace(ticks=one.ticks - 1) for one in state.flights if one.ticks > 0)),
        )

    def _worker_aged(self, me: Worker) -> Worker:
        if me.at is At.READ:
            return me._replace(left=min(me.left + 1, self.bounds.patience + self.search + self.bounds.lag))
        return me._replace(left=max(0, me.left - 1))

    def _aged(self, record: Record, by: int) -> Record:
        """Old instants are all the same."""
        until, learned = record.post_until, record.learned_at
        return record._replace(
            post_until=until if until == NONE else max(until - by, -self.search),
            learned_at=learned if learned == NONE else max(learned - by, -self.bounds.lag),
        )

    # -- what a worker does next -----------------------------------------------------------------------------------

    def worker(self, state: State, number: int) -> Iterator[Step]:
        me, name = state.workers[number], f"W{number + 1}"
        match me.at:
            case At.REST if not state.removed:
                read = Worker(At.READ, 0, valid=True, read=state.record)
                yield f"{name} reads the record: {state.record}.", _moved(state, number, read)
            case At.READ if not me.valid:
                yield f"{name} has lost its lease.", _moved(state, number, REST)
            case At.READ:
                for listed in _shown(state.policies):
                    yield self._removal(state, number, listed) if state.ended else self._planned(state, number, listed)
            case At.REMOVING:
                yield from self._deleting(state, number)
            case At.GOT if not me.valid and self.rules.own_intent:
                yield f"{name} has lost its lease: lists will show its policy.", _moved(state, number, REST)
            case At.GOT:
                made = Record(NONE, me.found[0], 0)
                yield f"{name} records policy {me.found[0] + 1}.", self._stored(state, number, made, REST)
            case At.REFUSED:
                yield f"{name} was refused.", self._taken_back(state, number)
            case _:
                yield from self._posting(state, number)

    def _posting(self, state: State, number: int) -> Iterator[Step]:
        """`_create_policy`."""
        me, name = state.workers[number], f"W{number + 1}"
        match me.at:
            case At.PLANNED:
                timed = me._replace(at=At.TIMED, left=self.bounds.patience)
                yield f"{name} reads the storage service's time.", _moved(state, number, timed)
            case At.TIMED if not me.valid:
                yield f"{name} has lost its lease.", _moved(state, number, REST)
            case At.TIMED:
                noted = me._replace(at=At.NOTED)
                yield f"{name} stores its intent.", self._stored(state, number, Record(me.left), noted)
            case At.NOTED if not me.left and self.rules.stop_at_deadline:
                yield f"{name} finds its deadline passed, sends nothing.", self._taken_back(state, number)
            case At.NOTED if len(state.flights) < self.bounds.flights:
                flight = Flight(me.left + self.bounds.late, number)
                after = _moved(state, number, me._replace(at=At.SENT))
                yield f"{name} sends the POST.", after._replace(flights=tuple(sorted((*state.flights, flight))))
            case At.SENT if not me.left:
                yield f"{name} has no answer by its deadline and gives up.", _given_up(state, number)

    def _planned(self, state: State, number: int, listed: tuple[int, ...]) -> Step:
        """`observe_elastic`, `_search_ended` and `plan_policy`."""
        me, name = state.workers[number], f"W{number + 1}"
        assert me.read is not None
        after, creates = self.decide(me.read, listed, me.left)
        sees = f"{name} lists {[one + 1 for one in listed]}"
        if creates:
            return f"{sees}: it is to create.", _moved(state, number, Worker(At.PLANNED, valid=True))
        found = after.policy != NONE
        rest = DONE if found else REST
        if after == state.record:
            return f"{sees}: {'as wanted' if found else 'it waits'}.", _moved(state, number, rest)
        return f"{sees} and stores {after}.", self._stored(state, number, after, rest)

    def _decide(self, read: Record, listed: tuple[int, ...], passed: int) -> tuple[Record, bool]:
        """What the code says: the record afterwards, in ticks from now, and whether a policy is to be made."""
        record = self._record(read)
        ends = search_ends(record, self.options)
        if ends is not None and ends <= AT:
            record = record.with_elastic(policy_post_until=None)
        plan = plan_policy(DESIRED, tuple(policy(str(one)) for one in listed), record, self.options, AT)
        memory = plan.memory
        until = record.elastic.policy_post_until
        if memory.id and not self.rules.found_keeps_window:
            until = None
        after = Record(_ticks(until), int(memory.id or NONE), _ticks(memory.learned_at))
        return self._aged(after, passed), bool(plan.steps)

    def _record(self, read: Record) -> ConnectionRecord:
        learned = _instant(read.learned_at)
        memory = PolicyMemory() if read.policy == NONE else PolicyMemory(str(read.policy), Owner.OURS, learned)
        return KNOWN.with_elastic(policy=memory, policy_post_until=_instant(read.post_until))

    # -- the endpoint is gone --------------------------------------------------------------------------------------

    def _removal(self, state: State, number: int, listed: tuple[int, ...]) -> Step:
        """`observe_removal`, and `_carry_out` where nothing of ours is listed."""
        me, name = state.workers[number], f"W{number + 1}"
        assert me.read is not None
        sees = f"{name}: the endpoint is gone. It lists {[one + 1 for one in listed]}"
        if listed:
            return f"{sees}, which go.", _moved(state, number, me._replace(at=At.REMOVING, found=listed))
        return f"{sees}.", self._removed(state, number, me.read, me.left)

    def _deleting(self, state: State, number: int) -> Iterator[Step]:
        me, name = state.workers[number], f"W{number + 1}"
        if not me.found:
            assert me.read is not None
            yield f"{name} looks whether that is all.", self._removed(state, number, me.read, me.left)
            return
        one, *rest = me.found
        after = self._deleted(state, one)
        going = me._replace(found=tuple(rest))
        if me.valid and state.record.policy == one:
            after = self._stored(after, number, state.record._replace(policy=NONE, learned_at=NONE), going)
        else:
            after = _moved(after, number, going if me.valid else REST)
        yield f"{name} deletes policy {one + 1}.", after

    def _removed(self, state: State, number: int, read: Record, passed: int) -> State:
        """`_policy_may_come`, by the record as this run knows it: removed, or later."""
        me = state.workers[number]
        if not me.valid:
            return _moved(state, number, REST)
        current = self._record(read)
        gone = state.record.policy != read.policy
        if gone:  # this run deleted it
            current = current.with_elastic(policy=PolicyMemory())
        waits = may_show_later(current, (), self.options, AT) is not None
        if self.rules.removal_waits and waits and (self.rules.answered_may_lag or _in_doubt(current)):
            return _moved(state, number, REST)
        return self._stored(state, number, Record(), DONE)._replace(removed=True)

    def _deleted(self, state: State, one: int) -> State:
        here, stale = state.policies[one]
        new = (False, self.bounds.lag) if here else (here, stale)
        return state._replace(policies=(*state.policies[:one], new, *state.policies[one + 1 :]))

    # -- writes of the record --------------------------------------------------------------------------------------

    def _stored(self, state: State, number: int, record: Record, me: Worker) -> State:
        """Stored by the lease's holder: another worker that still runs has lost it."""
        workers = [one._replace(valid=False) for one in state.workers]
        workers[number] = me._replace(valid=me.at not in (At.REST, At.DONE))
        return state._replace(record=record, workers=tuple(workers))

    def _taken_back(self, state: State, number: int) -> State:
        """Nothing was made by this POST, and no other was in doubt when it was begun."""
        if not state.workers[number].valid:
            return _moved(state, number, REST)
        return self._stored(state, number, Record(), REST)

    # -- requests under way ----------------------------------------------------------------------------------------

    def flight(self, state: State, flight: Flight) -> Iterator[Step]:
        rest, made = list(state.flights), len(state.policies)
        rest.remove(flight)
        gone = state._replace(flights=tuple(rest))
        heard = flight.owner >= 0 and state.workers[flight.owner].left > 0
        if made < MOST:
            after = gone._replace(policies=(*state.policies, (True, self.bounds.lag)))
            yield f"The POST makes policy {made + 1}; its answer is lost.", after
            if heard:
                got = state.workers[flight.owner]._replace(at=At.GOT, found=(made,))
                yield f"The POST makes policy {made + 1} and is answered 201.", _moved(after, flight.owner, got)
        if heard:
            refused = state.workers[flight.owner]._replace(at=At.REFUSED)
            yield "The POST is refused with 429.", _moved(gone, flight.owner, refused)


def _in_doubt(record: ConnectionRecord) -> bool:
    return record.elastic.policy_post_until is not None


def _instant(ticks: int) -> datetime | None:
    return None if ticks == NONE else AT + timedelta(seconds=ticks)


def _ticks(at: datetime | None) -> int:
    return NONE if at is None else int((at - AT).total_seconds())


def _shown(policies: tuple[tuple[bool, int], ...]) -> list[tuple[int, ...]]:
    """What a list may show, with what a read by id adds."""
    found: list[tuple[int, ...]] = [()]
    for one, (here, stale) in enumerate(policies):
        shown = (False, True) if stale else (here,)
        found = [(*ids, one) if sees else ids for ids in found for sees in shown]
    return found


def _moved(state: State, number: int, new: Worker) -> State:
    return state._replace(workers=(*state.workers[:number], new, *state.workers[number + 1 :]))


def _given_up(state: State, number: int) -> State:
    """The worker's request, if one is under way, goes on without it."""
    flights = (one._replace(owner=-1) if one.owner == number else one for one in state.flights)
    return _moved(state, number, REST)._replace(flights=tuple(sorted(flights)))


# -- how it ends ---------------------------------------------------------------------------------------------------


def quiet_step(model: Model, state: State) -> tuple[State, bool]:
    """What a fair scheduler does next once nothing fails and nothing lags any more; and whether that is a tick."""
    calm = state._replace(policies=tuple((here, 0) for here, _ in state.policies))
    for flight in calm.flights:
        answered = [after for sentence, after in model.flight(calm, flight) if "201" in sentence]
        if answered:
            return answered[0], False
    for number, me in enumerate(calm.workers):
        sweep = me.at is At.DONE and not _settled(calm)  # it looks again
        moves = [after for _, after in model.worker(_moved(calm, number, REST) if sweep else calm, number)]
        if not moves:
            continue
        if sweep or me.at is At.REST:  # a look that would change nothing is left out
            looked = next(after for _, after in model.worker(moves[0], number))
            same = (looked.record, looked.removed) == (calm.record, calm.removed)
            if same and looked.workers[number] in (REST, DONE):
                continue
        return moves[0], False
    return model.tick(calm), True


def _settled(state: State) -> bool:
    known = state.record.policy
    return state.removed if state.ended else known != NONE and state.policies[known][0]


def ended_well(state: State) -> bool:
    """One policy, on record; none where the endpoint is gone."""
    if state.flights or any(one.at not in (At.REST, At.DONE) for one in state.workers):
        return False
    alive = [one for one, (here, _) in enumerate(state.policies) if here]
    if state.ended:
        return state.removed and not alive and state.record == Record()
    return len(state.policies) >= MOST or [state.record.policy] == alive
