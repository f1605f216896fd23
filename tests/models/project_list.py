"""A model of one Serverless project's list, searched completely by `test_project_list_model` (S1, S2, S4).

The list holds ids: O is ours and wanted, P is ours and goes, X and Y are of others. One worker adds O, another removes
P, each by a PATCH of the whole list with the ETag of the list that it decided on (`clouds.elastic.serverless`).
Terraform writes the list that it knows, a person reads, and writes later with Y in it; both without If-Match. A PATCH
of ours may be answered or its answer lost, and lands up to `late` ticks after its deadline. A read may show, for `lag`
ticks after a change, the former list with its former ETag. An id is in force `effect` ticks after it was added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import NamedTuple

ID_O, ID_P, ID_X, ID_Y = 1, 2, 4, 8
LETTERS = ((ID_O, "O"), (ID_P, "P"), (ID_X, "X"), (ID_Y, "Y"))
WORKERS = ("W1", "W2")


class At(IntEnum):
    """Where a worker is."""

    REST = auto()
    READ = auto()
    SENT = auto()
    DONE = auto()


class Wrong(IntEnum):
    """What a PATCH of ours may not do."""

    NOTHING = 0
    DROPS_OTHERS = auto()
    OPENS = auto()
    """It takes the last id in force away."""
    COMES_LATE = auto()
    """It adds O after a run has said, in peace, that O is not there, not wanted, and that nothing is to be done."""


@dataclass(frozen=True)
class Rules:
    """As in the code; a weaker reading of each is shown to break."""

    if_match: bool = True
    """The service honours If-Match. One that does not is not written to, because of what this shows."""
    ends: str = "answer"
    """A lost PATCH is over by an answer to its repeat, or a late read. Weaker: by any "read", by another "etag"."""
    need_age: bool = True
    """S2 counts an id only when it was added long enough ago."""
    confirm: bool = True
    """An answer without an id that the listing of projects shows is not decided on: the project is read again."""
    restores: int = 1
    """So often an id of ours that others removed is added again; then it is reported."""


@dataclass(frozen=True)
class Bounds:
    """How much of everything may happen."""

    late: int = 1
    lag: int = 1
    effect: int = 1
    patience: int = 1
    start: int = ID_P | ID_X
    jobs: tuple[int, int] = (ID_O, ID_P)
    terraform: int = 1
    person: int = 0
    unwanted: int = 0
    """Once O stops being wanted."""
    young: int = 0
    """Ids that were added just before."""
    short: int = 0
    """So many answers about the project lack an id of others, and have the current ETag."""


class Worker(NamedTuple):
    """A worker: whether the ETag that it read is still the list's, ticks to its deadline, and the list it read."""

    at: At = At.REST
    current: bool = False
    left: int = 0
    read: int = 0


class Flight(NamedTuple):
    """A PATCH under way: it lands within so many ticks, or never. `heard`: its worker still waits for the answer."""

    ticks: int
    worker: int
    heard: bool
    current: bool
    adds: bool
    ids: int


NO_NOTE = -1


class State(NamedTuple):
    """All of it. `notes`: of each worker, ticks until a read ends a PATCH that may be lost."""

    now: int
    before: int
    stale: int
    ages: tuple[int, ...]
    workers: tuple[Worker, ...] = (Worker(), Worker())
    flights: tuple[Flight, ...] = ()
    notes: tuple[int, ...] = (NO_NOTE, NO_NOTE)
    added: int = 0
    reported: bool = False
    terraform: int = 0
    person: int = 0
    copy: int = -1
    """The list that a person has read and not written yet."""
    unwanted: int = 0
    wanted: bool = True
    short: int = 0
    wrong: Wrong = Wrong.NOTHING


Step = tuple[str, State]


class Model:
    """All that can happen, by these rules and within these bounds."""

    def __init__(self, bounds: Bounds, rules: Rules | None = None) -> None:
        self.bounds, self.rules = bounds, rules or Rules()

    def initial(self) -> State:
        b = self.bounds
        ages = tuple(b.effect if b.young & one else 0 for one, _ in LETTERS)
        return State(
            b.start, b.start, 0, ages, terraform=b.terraform, person=b.person, unwanted=b.unwanted, short=b.short
        )

    def successors(self, state: State) -> Iterator[Step]:
        state = state._replace(wrong=Wrong.NOTHING)
        for worker in range(2):
            yield from self.worker(state, worker)
            if state.workers[worker].at not in (At.REST, At.DONE):
                yield f"{WORKERS[worker]} is killed.", _gives_up(state, worker)
        for flight in state.flights:
            yield from self.flight(state, flight)
        yield from self.others(state)
        yield "A tick passes.", tick(state)

    def others(self, state: State) -> Iterator[Step]:
        if state.terraform:
            for ids in {ID_X, ID_X | (state.now & ID_P)}:
                after = self.written(state, ids)._replace(terraform=state.terraform - 1)
                yield f"Terraform writes its list {names(ids)}.", after
        if state.person and state.copy < 0:
            yield f"A person reads {names(state.now)}.", state._replace(copy=state.now)
        elif state.person:
            after = self.written(state, state.copy | ID_Y)._replace(person=state.person - 1, copy=-1)
            yield f"The person writes {names(state.copy | ID_Y)}.", after
        if state.unwanted:
            jobs = self.bounds.jobs
            workers = tuple(
                Worker() if one.at is At.DONE and jobs[number] == ID_O else one
                for number, one in enumerate(state.workers)
            )
            yield "O is no longer wanted.", state._replace(workers=workers, unwanted=0, wanted=False)

    def written(self, state: State, ids: int) -> State:
        """A write took effect: every ETag that was read before is old, and a service that honours it refuses it."""
        ages = tuple(
            0 if not ids & one else age if state.now & one else self.bounds.effect
            for (one, _), age in zip(LETTERS, state.ages, strict=True)
        )
        old = [
            one._replace(
                current=False, adds=one.adds and not self.rules.if_match, ids=one.ids * (not self.rules.if_match)
            )
            for one in state.flights
        ]
        return state._replace(
            now=ids,
            before=state.now,
            stale=self.bounds.lag,
            ages=ages,
            workers=tuple(one._replace(current=False) for one in state.workers),
            flights=tuple(sorted(old)),
        )

    # -- a worker of ours ----------------------------------------------------------------------------------------------

    def worker(self, state: State, number: int) -> Iterator[Step]:
        me, name = state.workers[number], WORKERS[number]
        if me.at is At.REST:
            for shown, current in {(state.now, True)} | ({(state.before, False)} if state.stale else set()):
                read = Worker(At.READ, current, self.bounds.patience, shown)
                late = "." if current else ", the former list with its former ETag."
                yield f"{name} reads the project: {names(shown)}{late}", _with(state, number, read)
            yield from self.short_reads(state, number)
        elif me.at is At.READ:
            yield self.decided(state, number)
        elif me.at is At.SENT and me.left == 0:
            yield f"{name} has no answer by its deadline and gives up.", _gives_up(state, number)

    def short_reads(self, state: State, number: int) -> Iterator[Step]:
        """An answer lacks an id of others. The listing is another answer: it may be late, and is not short too."""
        after, name = state._replace(short=state.short - 1), WORKERS[number]
        listed = state.now & state.before if state.stale else state.now
        for one in (ID_X, ID_Y) if state.short else ():
            if self.rules.confirm and one & listed:
                yield f"{name} reads a short list, the listing shows more: it reads again.", after
            elif one & state.now:
                read = Worker(At.READ, current=True, left=self.bounds.patience, read=state.now & ~one)
                yield f"{name} reads a short list: {names(read.read)}", _with(after, number, read)

    def decided(self, state: State, number: int) -> Step:
        me, mine, name = state.workers[number], self.bounds.jobs[number], WORKERS[number]
        want = mine == ID_O and state.wanted
        if bool(me.read & mine) == want:
            note, ends = state.notes[number], self.rules.ends
            if note <= 0 or ends == "read" or (ends == "etag" and not me.current):
                return f"{name}: as wanted.", _note(_with(state, number, Worker(At.DONE)), number, NO_NOTE)
            return f"{name}: as wanted, but its lost PATCH may still land.", _with(state, number, Worker())
        if want and state.added > self.rules.restores:
            return f"{name} reports that others remove its id.", _with(state, number, Worker(At.DONE))._replace(
                reported=True
            )
        if not want and not self.keeps_closed(me.read & ~mine, state.ages):
            return f"{name}: the last id that is surely in force, it stays.", _with(state, number, Worker())
        if me.left == 0 or len(state.flights) == 2:
            return f"{name} reads again.", _with(state, number, Worker())
        ids = me.read | mine if want else me.read & ~mine
        flight = Flight(me.left + self.bounds.late, number, heard=True, current=me.current, adds=want, ids=ids)
        sent = _with(state, number, Worker(At.SENT, me.current, me.left))._replace(added=state.added + want)
        ends_at = max(state.notes[number], me.left + self.bounds.late + self.bounds.lag)
        sent = _note(sent._replace(flights=tuple(sorted((*state.flights, flight)))), number, ends_at)
        return f"{name} notes and sends PATCH {names(ids)} with the ETag that it read.", sent

    def keeps_closed(self, ids: int, ages: tuple[int, ...]) -> bool:
        found = zip(LETTERS, ages, strict=True)
        return any(ids & one and (age == 0 or not self.rules.need_age) for (one, _), age in found)

    def flight(self, state: State, flight: Flight) -> Iterator[Step]:
        """It lands, answered or not, or is refused with 412; an answer ends the worker's note where no other flies."""
        left = list(state.flights)
        left.remove(flight)
        landed = state._replace(flights=tuple(left))
        alone = sum(one.worker == flight.worker for one in state.flights) == 1
        answered = _with(landed, flight.worker, Worker())
        answered = _note(answered, flight.worker, NO_NOTE) if alone else answered
        name = WORKERS[flight.worker]
        if not flight.current and self.rules.if_match:
            yield (f"{name} reads 412.", answered) if flight.heard else (f"A PATCH of {name} is refused.", landed)
            return
        wrong = self.wrong(state, flight)
        for after, told in ((landed, "its answer is lost"), (answered, "and is answered 200")):
            if told.startswith("its") or flight.heard:
                text = f"The PATCH of {name} takes effect: {names(flight.ids)}; {told}."
                yield (
                    text,
                    (self.written(after, flight.ids) if flight.ids != state.now else after)._replace(wrong=wrong),
                )

    def wrong(self, state: State, flight: Flight) -> Wrong:
        if state.now & (ID_X | ID_Y) & ~flight.ids:
            return Wrong.DROPS_OTHERS
        in_force = any(flight.ids & one and age == 0 for (one, _), age in zip(LETTERS, state.ages, strict=True))
        if state.now & ~flight.ids & ID_P and not in_force:
            return Wrong.OPENS
        peace = not state.wanted and state.notes[flight.worker] < 0
        return Wrong.COMES_LATE if flight.adds and not state.now & ID_O and peace else Wrong.NOTHING

    # -- a quiet world -------------------------------------------------------------------------------------------------

    def quiet_step(self, state: State) -> tuple[State, bool]:
        """What happens next once nothing fails and nothing lags any more, and whether that is a tick."""
        calm = state._replace(before=state.now, stale=0, wrong=Wrong.NOTHING, terraform=0, person=0, copy=-1, short=0)
        heard = next((one for one in calm.flights if one.heard), None)
        if heard is not None:
            return list(self.flight(calm, heard))[-1][1]._replace(stale=0, wrong=Wrong.NOTHING), False
        for number, me in enumerate(calm.workers):
            wanted = self.bounds.jobs[number] == ID_O and calm.wanted
            if (
                me.at is At.DONE
                and bool(calm.now & self.bounds.jobs[number]) != wanted
                and not (wanted and calm.reported)
            ):
                return _with(calm, number, Worker()), False
            steps = list(self.worker(calm, number))
            if not steps:
                continue
            after = steps[0][1]
            if me.at is At.REST and self.decided(after, number)[1].workers[number].at is At.REST:
                continue  # it looks again once a tick has passed
            return after, False
        if self.ended_well(calm):
            return calm, False
        return tick(calm), True

    def ended_well(self, state: State) -> bool:
        if state.flights or any(one.at not in (At.REST, At.DONE) for one in state.workers):
            return False
        jobs = self.bounds.jobs
        missing = ID_O in jobs and bool(state.now & ID_O) != state.wanted and not state.reported
        return not missing and (ID_P not in jobs or not state.now & ID_P or state.now == ID_P)


def tick(state: State) -> State:
    """Time passes; what may land no more is gone."""
    stale = max(0, state.stale - 1)
    return state._replace(
        before=state.before if stale else state.now,
        stale=stale,
        ages=tuple(max(0, age - 1) for age in state.ages),
        workers=tuple(one._replace(left=max(0, one.left - 1)) for one in state.workers),
        flights=tuple(sorted(one._replace(ticks=one.ticks - 1) for one in state.flights if one.ticks > 0)),
        notes=tuple(note - 1 if note > 0 else note for note in state.notes),
    )


def names(ids: int) -> str:
    """A list for people."""
    return "[" + " ".join(letter for one, letter in LETTERS if ids & one) + "]"


def _with(state: State, number: int, worker: Worker) -> State:
    workers = tuple(worker if one == number else me for one, me in enumerate(state.workers))
    return state._replace(workers=workers)


def _note(state: State, number: int, ticks: int) -> State:
    return state._replace(notes=tuple(ticks if one == number else note for one, note in enumerate(state.notes)))


def _gives_up(state: State, number: int) -> State:
    """It rests; what it has sent may still land, and it hears no answer."""
    flights = tuple(sorted(one._replace(heard=one.heard and one.worker != number) for one in state.flights))
    return _with(state, number, Worker())._replace(flights=flights)
