"""A model of the requests about one target, searched completely by `test_target_requests_model` (S1, S2).

Policies A and B are ours, C is of others. Each worker has one wish: to take A or B away, or to associate A. It takes
the steps of `reconciler.target_requests`: read the row, list, decide, write the note with the ETag that was read, send,
hear an answer. What the note says and what may be sent is decided by the product's own rules, those of
`core.guards.first_and_last_policy`; here is what may happen around it: any pace, kills and freezes between two steps,
lost answers, refusals, requests that land `late` ticks after their deadline, lists that show old or new for `lag`
ticks, associations that are in force `effect` ticks after they are listed. Wrong is: no policy is in force, or our POST
closed a target that was open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from shared.core.guards.first_and_last_policy import (
    NOTHING_TO_DO,
    PolicyNote,
    TargetReading,
    association_problem,
    disassociation_problem,
)
from shared.core.model.steps import Associate, Disassociate
from tests.models.target_state import (
    AS_IN_THE_CODE,
    AT,
    NAMES,
    NONE,
    TYPES,
    A,
    Association,
    At,
    B,
    Bounds,
    C,
    Flight,
    Kind,
    Note,
    Row,
    Rules,
    State,
    Worker,
)

REST, DONE = Worker(), Worker(At.DONE)
Step = tuple[str, State]


class Model:
    """All that can happen, by these rules and within these bounds."""

    def __init__(self, bounds: Bounds, rules: Rules = AS_IN_THE_CODE) -> None:
        self.bounds, self.rules = bounds, rules
        self.lag = bounds.late + max(bounds.lag, bounds.effect) - (not rules.whole_lag)
        self.decide = cache(self._decide)

    def initial(self) -> State:
        here, young = self.bounds.here, self.bounds.young
        found = [Association(one in here, young=self.bounds.effect if one in young else 0) for one in (A, B, C)]
        notes = [Note(since=-self.lag) if one in here and one not in young else Note() for one in (A, B, C)]
        return State((found[A], found[B], found[C]), (notes[A], notes[B], notes[C]), (REST,) * len(self.bounds.jobs))

    def job(self, state: State, worker: int) -> tuple[Kind, int]:
        kind, policy = self.bounds.jobs[worker]
        return (Kind.POST, policy) if state.wanted_again and policy == A else (kind, policy)

    def is_wrong(self, state: State) -> bool:
        opened = not any(one.listed and not one.young for one in state.associations)
        return state.closed_unasked or (opened and not self.bounds.may_reopen)

    def successors(self, state: State) -> Iterator[Step]:
        for worker in range(len(state.workers)):
            yield from self.worker(state, worker)
            if state.workers[worker].at not in (At.REST, At.DONE):
                yield f"W{worker + 1} is killed.", _given_up(state, worker)
        for flight in state.flights:
            yield from self.flight(state, flight)
        if self.bounds.again and not state.wanted_again:
            workers = (REST if one == DONE else one for one in state.workers)
            yield "A is wanted again.", state._replace(wanted_again=True, workers=tuple(workers))
        yield "A tick passes.", self.tick(state)

    def tick(self, state: State) -> State:
        return state._replace(
            associations=tuple(Association(a, max(0, b - 1), max(0, c - 1)) for a, b, c in state.associations),
            row=self._aged(state.row),
            workers=tuple(self._worker_aged(one) for one in state.workers),
            flights=tuple(sorted(one._replace(ticks=one.ticks - 1) for one in state.flights if one.ticks > 0)),
        )

    def _worker_aged(self, me: Worker) -> Worker:
        if me.at in (At.REST, At.DONE):
            return me
        left = max(0, me.left - 1)
        if me.at is At.ROW_READ:
            return me._replace(left=left, passed=min(me.passed + 1, self.bounds.patience + self.lag))
        row, before = me.row and self._aged(me.row), me.before and self._aged(me.before)
        return me._replace(left=left, row=row, before=before)

    def _aged(self, row: Row) -> Row:
        return tuple(Note(*(one if one == NONE else max(one - 1, -self.lag) for one in note)) for note in row)  # type: ignore[return-value]

    # -- what a worker does next -----------------------------------------------------------------------------------

    def worker(self, state: State, number: int) -> Iterator[Step]:
        me, name, (kind, policy) = state.workers[number], f"W{number + 1}", self.job(state, number)
        what = f"{kind.name} {NAMES[policy]}"
        match me.at:
            case At.REST:
                read = Worker(At.ROW_READ, self.bounds.patience, row=state.row)
                yield f"{name} reads the target's row.", _moved(state, number, read)
            case At.ROW_READ:
                for listed in _lists(state.associations):
                    yield self._listed(state, number, listed)
            case At.DECIDED:
                yield f"{name} notes its {what}.", self._noted(state, number)
            case At.NOTED if not self.rules.count_from_read:
                resumed = me._replace(at=At.RESUMED, left=self.bounds.patience)
                yield f"{name} counts its deadline from now.", _moved(state, number, resumed)
            case At.NOTED | At.RESUMED if not me.left and self.rules.stop_at_deadline:
                yield f"{name} finds its deadline passed and sends nothing.", _moved(state, number, REST)
            case At.NOTED | At.RESUMED if len(state.flights) < self.bounds.flights:
                flight = Flight(policy, kind, me.left + self.bounds.late, number)
                after = _moved(state, number, me._replace(at=At.SENT))
                yield f"{name} sends {what}.", after._replace(flights=tuple(sorted((*state.flights, flight))))
            case At.SENT if not me.left:
                yield f"{name} has no answer by its deadline and gives up.", _given_up(state, number)
            case At.REFUSED:
                yield f"{name} was refused.", self._lifted(state, number)

    def _listed(self, state: State, number: int, listed: str) -> Step:
        """`_view` and `problem`: what one list, and the row read before it, allow."""
        me, name, (kind, policy) = state.workers[number], f"W{number + 1}", self.job(state, number)
        sees = f"{name} lists {listed or 'nothing'}"
        if kind is Kind.POST and NAMES[policy] in listed:
            return f"{sees}: nothing to do.", _moved(state, number, DONE)
        assert me.row is not None
        verdict, learned, noted, sole = self.decide(kind, policy, listed, me.row, me.passed)
        if verdict == "send":
            before = learned if sole or not self.rules.refusal_needs_sole else None
            decided = Worker(At.DECIDED, me.left, row=noted, before=before)
            return f"{sees} and may send.", _moved(state, number, decided)
        rest = DONE if verdict == NOTHING_TO_DO else REST
        if learned != state.row and self.rules.note_with_etag:
            return f"{sees}: {verdict}; it notes what it saw.", self._written(state, number, learned, rest)
        return f"{sees}: {verdict}.", _moved(state, number, rest)

    def _decide(self, kind: Kind, policy: int, listed: str, row: Row, passed: int) -> tuple[str, Row, Row, bool]:
        """What the code says; the row with what was learned, and with the note, both in ticks from now."""
        notes = {name: _policy_note(note) for name, note in zip(NAMES, row, strict=True)}
        reading = TargetReading(AT, timedelta(seconds=self.lag), notes)
        reading = reading.learn(listed, AT + timedelta(seconds=passed))
        asked, name = self._as_asked(reading, listed), NAMES[policy]
        until = AT + timedelta(seconds=self.bounds.patience)
        if kind is Kind.POST:
            problem = association_problem(Associate(name, "t", "t", "t"), listed, TYPES, asked)
            noted = reading.with_post(name, until)
            if not self.rules.note_posts:
                noted = replace(reading, notes={**reading.notes, name: replace(noted.notes[name], post_until=None)})
        else:
            step = Disassociate(name, "t", "t", may_reopen=self.bounds.may_reopen)
            problem = disassociation_problem(step, listed, TYPES, asked)  # type: ignore[assignment]
            noted = reading.with_delete(name, until)
        verdict = "send" if problem is None else problem if isinstance(problem, str) else "not now"
        sole = not reading.deleting(name) and not reading.posting(name)
        return verdict, self._ticks(reading, passed), self._ticks(noted, passed), sole

    def _as_asked(self, reading: TargetReading, listed: str) -> TargetReading:
        """The notes as a weaker rule would read them."""
        notes = dict(reading.notes)
        for name in listed if not self.rules.need_age else "":
            notes[name] = replace(notes[name], counts_from=AT - timedelta(days=1))
        if not self.rules.reopening_waits:
            notes = {name: replace(note, post_until=None) for name, note in notes.items()}
        return replace(reading, notes=notes)

    def _ticks(self, reading: TargetReading, passed: int) -> Row:
        def tick(at: datetime | None) -> int:
            return NONE if at is None else max(int((at - AT).total_seconds()) - passed, -self.lag)

        found = [reading.notes.get(name, PolicyNote()) for name in NAMES]
        return tuple(Note(*map(tick, (one.delete_until, one.post_until, one.counts_from))) for one in found)  # type: ignore[return-value]

    # -- writes of the row -----------------------------------------------------------------------------------------

    def _written(self, state: State, number: int, row: Row, me: Worker) -> State:
        """The row is written: the ETags that other workers hold fail, and they start again at the row."""
        workers = [self._outdated(other) for other in state.workers]
        workers[number] = me
        return state._replace(row=row, workers=tuple(workers))

    def _outdated(self, me: Worker) -> Worker:
        if me.at in (At.ROW_READ, At.DECIDED) and self.rules.note_with_etag:
            return REST
        return me._replace(before=None) if self.rules.refusal_needs_sole else me

    def _noted(self, state: State, number: int) -> State:
        me, (kind, policy) = state.workers[number], self.job(state, number)
        assert me.row is not None
        row = me.row
        if not self.rules.note_with_etag:  # read, changed and written, over all that the row says by now
            mine = state.row[policy]
            mine = mine._replace(delete=max(mine.delete, row[policy].delete)) if kind is Kind.DELETE else row[policy]
            row = _with(state.row, policy, mine)
        return self._written(state, number, row, Worker(At.NOTED, me.left, before=me.before))

    def _lifted(self, state: State, number: int) -> State:
        me = state.workers[number]
        if me.before is None:
            return _moved(state, number, REST)
        if self.rules.refusal_needs_sole:
            return self._written(state, number, me.before, REST)
        _, policy = self.job(state, number)
        return self._written(state, number, _with(state.row, policy, me.before[policy]._replace(delete=NONE)), REST)

    # -- requests under way ----------------------------------------------------------------------------------------

    def flight(self, state: State, flight: Flight) -> Iterator[Step]:
        rest, found = list(state.flights), state.associations[flight.policy]
        rest.remove(flight)
        what, asked = f"{flight.kind.name} {NAMES[flight.policy]}", flight.kind is Kind.POST
        after = state._replace(flights=tuple(rest))
        if found.listed != asked:
            is_open = not any(one.listed for one in state.associations)
            young = self.bounds.effect if asked else 0
            new = Association(asked, self.bounds.lag, young)
            after = after._replace(
                associations=_with(state.associations, flight.policy, new), closed_unasked=asked and is_open
            )
        yield f"{what} takes effect; its answer is lost.", after
        if flight.owner < 0 or not state.workers[flight.owner].left:
            return
        refused = state.workers[flight.owner]._replace(at=At.REFUSED)
        yield f"{what} is refused with 429.", _moved(state._replace(flights=tuple(rest)), flight.owner, refused)
        name = f"W{flight.owner + 1}"
        if self.rules.answer_keeps_note or asked:
            done = REST if state.wanted_again and not asked and flight.policy == A else DONE
            yield f"{what} takes effect and is answered to {name}.", _moved(after, flight.owner, done)
        else:
            lifted = _with(state.row, flight.policy, state.row[flight.policy]._replace(delete=NONE))
            yield f"{what} takes effect; {name} lifts the note.", self._written(after, flight.owner, lifted, DONE)


def _policy_note(note: Note) -> PolicyNote:
    return PolicyNote(*(None if one == NONE else AT + timedelta(seconds=one) for one in note))


def _lists(associations: tuple[Association, ...]) -> list[str]:
    """What a list may show."""
    found = [""]
    for name, one in zip(NAMES, associations, strict=True):
        shown = (False, True) if one.stale else (one.listed,)
        found = [text + name if here else text for text in found for here in shown]
    return found


def _with(items: Any, index: int, new: Any) -> Any:
    return (*items[:index], new, *items[index + 1 :])


def _moved(state: State, number: int, new: Worker) -> State:
    return state._replace(workers=_with(state.workers, number, new))


def _given_up(state: State, number: int) -> State:
    """The worker's request, if one is under way, goes on without it."""
    flights = (one._replace(owner=-1) if one.owner == number else one for one in state.flights)
    return _moved(state, number, REST)._replace(flights=tuple(sorted(flights)))


# -- how it ends ---------------------------------------------------------------------------------------------------


def quiet_step(model: Model, state: State) -> tuple[State, bool]:
    """What a fair scheduler does next once nothing fails and nothing lags any more; and whether that is a tick."""
    calm = state._replace(associations=tuple(one._replace(stale=0) for one in state.associations))
    for flight in calm.flights:
        answered = [after for sentence, after in model.flight(calm, flight) if "answered" in sentence]
        if answered:
            return answered[0], False
    for number, me in enumerate(calm.workers):
        unasked = model.job(calm, number)[0] is Kind.POST and not calm.associations[A].listed
        if me.at is At.DONE and unasked and not calm.flights:  # the sweep sees that A is missing
            return _moved(calm, number, REST), False
        moves = [after for _, after in model.worker(calm, number)]
        if not moves:
            continue
        if me.at is At.REST:  # a look that would change nothing is left out
            looked = next(after for _, after in model.worker(moves[0], number))
            if looked.row == calm.row and looked.workers[number] == REST:
                continue
        return moves[0], False
    return model.tick(calm), True


def ended_well(model: Model, state: State) -> bool:
    """All rest, each with what it wished, or Blocked for good reason."""
    if state.flights or any(one.at not in (At.REST, At.DONE) for one in state.workers):
        return False
    listed = [one.listed for one in state.associations]
    jobs = [model.job(state, number) for number in range(len(state.workers))]
    for kind, policy in jobs:
        others = any(here for one, here in enumerate(listed) if one != policy)
        if kind is Kind.DELETE and listed[policy] and (others or model.bounds.may_reopen):
            return False  # it could have gone
        if kind is Kind.POST and not listed[policy] and others:
            return False  # it could have come
    return True
