"""A model of the hand-over of the `*` record, searched completely by `test_record_handover_model`.

E1 holds the record, E2 of the same network waits. E1 may be deleted and made anew under its name (a new resource GUID,
its address may be the old one again). Writes of the record are conditional and exact; their answers may be lost, and
they may land `late` ticks after the deadline. A read of E1 by id may show old or new for `lag` ticks after a change.
A run of E1, a run of E2 and the removal of E1 go on at any pace and may be killed. Wrong is: a write of ours takes the
record from an endpoint that lives and was told Ready with it.

Steps are named as in the code: `dns_record.plan_record` (Ready, or a PUT), `holders.holder_facts` (is the holder gone,
is the record old enough), `deleted._still_gone` and `apply_removal` (the DELETE).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

IDLE, SAW, CHECKED, SENT = range(4)
E1, E2, REMOVAL = range(3)
NAMES = ("the run of E1", "the run of E2", "the removal of E1")


class Record(NamedTuple):
    holder: int
    guid: int = 0
    address: int = 0
    young: int = 0
    """Ticks until it is old enough to be taken over."""


class Endpoint(NamedTuple):
    lives: bool
    guid: int
    address: int
    ready: bool
    lag: int = 0
    """Ticks for which a read may still answer as before."""


class Worker(NamedTuple):
    step: int = IDLE
    unchanged: bool = False
    """Whether the record is still the version that it read."""
    left: int = 0
    """Ticks to its deadline."""


class Flight(NamedTuple):
    """A request under way."""

    ticks: int
    sender: int
    heard: bool
    """Whether its sender still waits for the answer."""
    unchanged: bool
    writes: Record


class State(NamedTuple):
    record: Record
    one: Endpoint
    workers: tuple[Worker, Worker, Worker]
    flights: tuple[Flight, ...]
    deletes: int
    creates: int
    bad: bool = False


@dataclass(frozen=True)
class Rules:
    record_first: bool = True
    """The record (its ETag) is read before its holder."""
    guid_in_marker: bool = True
    """The marker names the holder's GUID; one that was made anew writes it before it is Ready."""
    young_stays: bool = True
    """A record that was written a moment ago is not taken over, nor deleted."""


@dataclass(frozen=True)
class Bounds:
    late: int = 1
    lag: int = 1
    patience: int = 1
    deletes: int = 1
    creates: int = 1


NO_RECORD = Record(-1)
Step = tuple[str, State]


class Model:
    """All that can happen, by these rules and within these bounds."""

    def __init__(self, rules: Rules = Rules(), bounds: Bounds = Bounds()) -> None:
        self.rules, self.bounds = rules, bounds

    def initial(self) -> State:
        idle = Worker()
        one = Endpoint(lives=True, guid=1, address=1, ready=True)
        return State(Record(E1, 1, 1), one, (idle, idle, idle), (), self.bounds.deletes, self.bounds.creates)

    def successors(self, state: State) -> Iterator[Step]:
        state = state._replace(bad=False)
        for worker in range(3):
            yield from self.worker(state, worker)
        for flight in state.flights:
            yield from self.flight(state, flight)
        yield from self._endpoint(state)
        yield "A tick passes.", self.tick(state)

    def tick(self, state: State) -> State:
        record, one = state.record, state.one
        return state._replace(
            record=record._replace(young=max(0, record.young - 1)),
            one=one._replace(lag=max(0, one.lag - 1)),
            workers=tuple(worker._replace(left=max(0, worker.left - 1)) for worker in state.workers),
            flights=tuple(sorted(one._replace(ticks=one.ticks - 1) for one in state.flights if one.ticks > 0)),
        )

    def _endpoint(self, state: State) -> Iterator[Step]:
        one, idle = state.one, _with(state.workers, E1, Worker())
        if one.lives and state.deletes:
            gone = one._replace(lives=False, ready=False, lag=self.bounds.lag)
            yield "E1 is deleted.", state._replace(one=gone, workers=idle, deletes=state.deletes - 1)
        if not one.lives and state.creates:
            for address, words in ((1, "with the same address"), (2, "with another address")):
                anew = Endpoint(lives=True, guid=one.guid + 1, address=address, ready=False, lag=self.bounds.lag)
                after = state._replace(one=anew, workers=idle, creates=state.creates - 1)
                yield f"E1 is made anew, {words}.", after

    # -- workers ---------------------------------------------------------------------------------------------------

    def worker(self, state: State, number: int) -> Iterator[Step]:
        me, name = state.workers[number], NAMES[number]
        yield from self._holder_run(state) if number == E1 else self._taker(state, number)
        if me.step == CHECKED and not me.left:
            yield f"{name} finds its deadline passed and sends nothing.", _moved(state, number, Worker())
        if me.step == SENT and not me.left:
            yield f"{name} has no answer by its deadline and gives up.", _gone(state, number)
        if me.step != IDLE:
            yield f"{name} is killed.", _gone(state, number)

    def _holder_run(self, state: State) -> Iterator[Step]:
        """`plan_record` for E1: as wanted, or a PUT."""
        me, one, record, name = state.workers[E1], state.one, state.record, NAMES[E1]
        if me.step == IDLE and one.lives and not one.ready:
            mine = record.holder == E1
            same = record.guid == one.guid or not self.rules.guid_in_marker
            if mine and record.address == one.address and same:
                yield f"{name} finds the record as wanted: Ready.", state._replace(one=one._replace(ready=True))
            elif mine or record == NO_RECORD:
                yield f"{name} reads the record, to write it.", _moved(state, E1, self._checked())
        elif me.step == CHECKED and me.left and len(state.flights) < 2:
            yield f"{name} sends its PUT.", self._sent(state, E1, Record(E1, one.guid, one.address))

    def _taker(self, state: State, number: int) -> Iterator[Step]:
        """`holder_facts` and the PUT of E2; `_still_gone`, `_old_enough` and the DELETE of the removal."""
        me, name, record = state.workers[number], NAMES[number], state.record
        writes = Record(E2, 0, 3) if number == E2 else NO_RECORD
        if me.step == CHECKED and me.left and len(state.flights) < 2:
            yield f"{name} sends its {'PUT' if number == E2 else 'DELETE'}.", self._sent(state, number, writes)
        elif me.step == IDLE and number == E2 and record == NO_RECORD:
            yield f"{name} reads the record: there is none.", _moved(state, number, self._checked())
        elif me.step == (IDLE if self.rules.record_first else SAW):
            yield from self._reads_record(state, number)
        elif me.step in {IDLE, SAW}:
            yield from self._reads_holder(state, number)

    def _reads_record(self, state: State, number: int) -> Iterator[Step]:
        if state.record.holder != E1:
            return
        if self.rules.young_stays and state.record.young:
            return
        after = self._checked()._replace(step=SAW if self.rules.record_first else CHECKED)
        yield f"{NAMES[number]} reads the record: E1 holds it.", _moved(state, number, after)

    def _reads_holder(self, state: State, number: int) -> Iterator[Step]:
        me, one = state.workers[number], state.one
        step, name = (CHECKED if self.rules.record_first else SAW), NAMES[number]
        if not one.lives or one.lag:
            left = me.left if self.rules.record_first else self.bounds.patience
            yield f"{name} reads E1: gone.", _moved(state, number, Worker(step, me.unchanged, left))
        if (one.lives or one.lag) and me.step == SAW:
            yield f"{name} reads E1: it lives.", _moved(state, number, Worker())

    def _checked(self) -> Worker:
        return Worker(CHECKED, unchanged=True, left=self.bounds.patience)

    def _sent(self, state: State, number: int, writes: Record) -> State:
        me = state.workers[number]
        flight = Flight(me.left + self.bounds.late, number, heard=True, unchanged=me.unchanged, writes=writes)
        after = _moved(state, number, me._replace(step=SENT))
        return after._replace(flights=tuple(sorted((*state.flights, flight))))

    # -- requests under way ----------------------------------------------------------------------------------------

    def flight(self, state: State, flight: Flight) -> Iterator[Step]:
        """A request lands: it is refused if the record has changed, and its answer may be lost."""
        name, number = NAMES[flight.sender], flight.sender
        rest = list(state.flights)
        rest.remove(flight)
        heard = flight.heard and state.workers[number].left > 0
        if not flight.unchanged:
            if heard:
                after = _moved(state, number, Worker())._replace(flights=tuple(rest))
                yield f"{name} reads 412: the record has changed.", after
            return
        record, one = state.record, state.one
        served = one.lives and one.ready and record.holder == E1 and record.address == one.address
        landed = state._replace(
            record=flight.writes._replace(young=self.bounds.lag) if flight.writes != NO_RECORD else NO_RECORD,
            workers=tuple(worker._replace(unchanged=False) for worker in state.workers),
            flights=tuple(sorted(other._replace(unchanged=False) for other in rest)),
            bad=served and flight.writes.holder != E1,
        )
        yield f"The request of {name} is done; its answer is lost.", landed
        if heard:
            is_ready = number == E1 and one.lives and flight.writes.guid == one.guid
            told = landed._replace(one=one._replace(ready=True)) if is_ready else landed
            yield f"The request of {name} is done and answered.", _moved(told, number, Worker())


def _with(workers: tuple[Worker, ...], number: int, new: Worker) -> tuple[Worker, ...]:
    return (*workers[:number], new, *workers[number + 1 :])


def _moved(state: State, number: int, new: Worker) -> State:
    return state._replace(workers=_with(state.workers, number, new))


def _gone(state: State, number: int) -> State:
    """The worker's request, if one is under way, goes on without it."""
    flights = (one._replace(heard=False) if one.sender == number else one for one in state.flights)
    return _moved(state, number, Worker())._replace(flights=tuple(sorted(flights)))


# -- how it ends ---------------------------------------------------------------------------------------------------


def quiet_step(model: Model, state: State) -> tuple[State, bool]:
    """What a fair scheduler does next once nothing fails and nothing lags any more; and whether that is a tick."""
    calm = state._replace(one=state.one._replace(lag=0), bad=False)
    for flight in calm.flights:
        landed = list(model.flight(calm, flight))
        if landed and flight.heard and calm.workers[flight.sender].left > 0:
            return landed[-1][1], False
    for number, me in enumerate(calm.workers):
        waits = number == E2 and calm.record.holder == E1 and calm.one.lives  # the holder lives: E2 is Blocked
        moves = [after for sentence, after in model.worker(calm, number) if not sentence.endswith("is killed.")]
        if moves and not (me.step == IDLE and (number == REMOVAL or waits)):
            return moves[0], False
    return model.tick(calm), True


def ended_well(state: State) -> bool:
    """All rest; the record is that of the holder that lives and is Ready, else that of the one that waited."""
    if state.flights or any(worker.step != IDLE for worker in state.workers):
        return False
    if state.one.lives and state.record.holder == E1:
        return state.one.ready and state.record.address == state.one.address
    return state.record.holder == E2
