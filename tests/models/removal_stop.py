"""A model of the limit of removals, searched completely by `test_removal_stop_model` (S6).

Connections go missing, come back, or cannot be read; runs count them, tear them down or change living ones; sweeps
count anew; a person confirms a stop. Each step is the product's own `core.guards.removal_limit.Removals`, as
`installation.removal_limit` calls it; a tick is a day. Wrong is: more connections than the limit are torn down
unconfirmed within a day and without a person's word, or a sweep ends a stop though more than the limit could go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from shared.core.guards.removal_limit import DAY, Removals, Stop, Swept

AT = datetime(2026, 1, 1, tzinfo=UTC)
TICK = DAY
STOP = "stop"
LIMIT = 1


class Connection(NamedTuple):
    missing: bool = False
    readable: bool = True
    torn: bool = False
    """Nothing of it is left."""
    counts: int = 0
    """Ticks for which its teardown, without a person's word, counts."""


class State(NamedTuple):
    connections: tuple[Connection, ...]
    standing: frozenset[str] = frozenset()
    torn: frozenset[tuple[str, int]] = frozenset()
    """As the row has them, each with its age in ticks."""
    changed: frozenset[str] = frozenset()
    stopped: tuple[str, ...] | None = None
    allowed: frozenset[str] = frozenset()
    bad: bool = False


@dataclass(frozen=True)
class Rules:
    """As the code has them; each other value is a weaker one, which the search must see break."""

    unread_count: bool = True
    """What a sweep could not read stands as it stood."""
    day_counts: bool = True
    """Those torn down within a day count too."""
    word_by_name: bool = True
    """A person's word is about the connections that the stop named."""


Step = tuple[str, State]


class Model:
    """All that can happen to `number` connections, by these rules."""

    def __init__(self, number: int = 3, rules: Rules = Rules()) -> None:
        self.number, self.rules = number, rules

    def initial(self) -> State:
        return State((Connection(),) * self.number)

    def successors(self, state: State) -> Iterator[Step]:
        tried = set()
        for one in range(self.number):
            if (like := _known_of(state, one)) not in tried:
                tried.add(like)
                yield from ((sentence, _sorted(after)) for sentence, after in self._of(state, one))
        yield "A sweep counts anew.", _sorted(self.sweep(state))
        if state.stopped is not None:
            yield "A person confirms the stop.", _sorted(self._confirmed(state))
        yield "A day passes.", _sorted(self.tick(state))

    def _of(self, state: State, one: int) -> Iterator[Step]:
        here, name = state.connections[one], str(one)
        if here.torn:
            return
        if not here.missing:
            gone = _with(state, one, here._replace(missing=True))
            yield f"{one} goes missing; its run counts it.", _stored(gone, _removals(state).stand(name, STOP, AT))
            yield f"{one} goes missing unseen.", gone
            after, may = _removals(state).tear_down(name, STOP, AT, gone=False)
            yield f"The run of {one}, which lives, takes an association away: {may}.", _stored(state, after)
        else:
            back = _with(state, one, here._replace(missing=False, readable=True))
            yield f"{one} is back; its run withdraws it.", _stored(back, _removals(state).withdraw(name))
            yield self.torn(state, one)
            unread = sum(not other.readable for other in state.connections)
            if not here.readable or not unread:  # one at a time
                turned = here._replace(readable=not here.readable)
                yield f"The right to read {one} turns.", _with(state, one, turned)

    def torn(self, state: State, one: int) -> Step:
        known = _removals(state)
        allowed = known.may(str(one), AT) or (not self.rules.word_by_name and bool(state.allowed))
        after, may = known.tear_down(str(one), STOP, AT, gone=True)
        if not (may or allowed):
            return f"{one} may not go: removals are stopped.", _stored(state, after)
        if not self.rules.day_counts:
            after = Removals(after.limit, after.standing, {}, after.changed, after.stopped, after.allowed, AT + TICK)
        days = DAY // TICK
        new = state.connections[one]._replace(torn=True, counts=0 if known.may(str(one), AT) else days)
        gone = _stored(_with(state, one, new), after)
        many = sum(connection.counts > 0 for connection in gone.connections) > LIMIT
        return f"{one} is torn down.", gone._replace(bad=many)

    def sweep(self, state: State) -> State:
        seen = [(str(one), here) for one, here in enumerate(state.connections) if not here.torn]
        unwanted = frozenset(name for name, here in seen if here.missing and here.readable)
        unseen = frozenset(name for name, here in seen if not here.readable)
        known = _removals(state)
        after = known.swept(Swept(unwanted, unseen if self.rules.unread_count else ()), STOP, LIMIT, AT)
        may_go = unwanted | (unseen & (known.standing | set(state.stopped or ())))
        ended = state.stopped is not None and after.stopped is None
        return _stored(state, after)._replace(bad=ended and len(may_go - state.allowed) > LIMIT)

    def _confirmed(self, state: State) -> State:
        after = _removals(state).confirm(STOP, AT)
        assert after is not None
        asked = tuple(one._replace(counts=0) for one in state.connections)  # a person has seen how many went
        return _stored(state._replace(connections=asked), after)

    def tick(self, state: State) -> State:
        """A person's word does not last a day, and teardowns age."""
        days = DAY // TICK
        return state._replace(
            connections=tuple(one._replace(counts=max(0, one.counts - 1)) for one in state.connections),
            torn=frozenset((name, age + 1) for name, age in state.torn if age + 1 < days),
            allowed=frozenset(),
        )


def _removals(state: State) -> Removals:
    stop = None
    if state.stopped is not None:
        stop = Stop(STOP, AT, len(state.stopped), state.stopped)
    return Removals(
        LIMIT,
        state.standing,
        {name: AT - age * TICK for name, age in state.torn},
        state.changed,
        stop,
        state.allowed,
        AT + TICK if state.allowed else None,
    )


def _stored(state: State, removals: Removals) -> State:
    return state._replace(
        standing=removals.standing,
        torn=frozenset((name, (AT - at) // TICK) for name, at in removals.torn.items()),
        changed=removals.changed,
        stopped=removals.stopped.connections if removals.stopped else None,
        allowed=removals.allowed,
    )


def _known_of(state: State, one: int) -> tuple[object, ...]:
    """All that is known of a connection."""
    name = str(one)
    ages = tuple(age for other, age in state.torn if other == name)
    known = (state.standing, state.changed, state.stopped or (), state.allowed)
    return (state.connections[one], ages, *(name in names for names in known))


def _sorted(state: State) -> State:
    """The same with the connections in order: they are all alike, so their names tell nothing."""
    order = sorted(range(len(state.connections)), key=lambda one: _known_of(state, one))  # type: ignore[arg-type, return-value]
    new = {str(old): str(place) for place, old in enumerate(order)}
    return state._replace(
        connections=tuple(state.connections[one] for one in order),
        standing=frozenset(new[one] for one in state.standing),
        torn=frozenset((new[one], age) for one, age in state.torn),
        changed=frozenset(new[one] for one in state.changed),
        stopped=None if state.stopped is None else tuple(sorted(new[one] for one in state.stopped)),
        allowed=frozenset(new[one] for one in state.allowed),
    )


def _with(state: State, one: int, new: Connection) -> State:
    return state._replace(connections=(*state.connections[:one], new, *state.connections[one + 1 :]), bad=False)


# -- how it ends ---------------------------------------------------------------------------------------------------


def quiet_step(model: Model, state: State) -> tuple[State, bool]:
    """All can be read; sweeps count, and runs tear down what may go; and whether time passed."""
    calm = state._replace(connections=tuple(one._replace(readable=True) for one in state.connections), bad=False)
    swept = model.sweep(calm)
    for one, here in enumerate(swept.connections):
        if here.missing and not here.torn:
            _, after = model.torn(swept, one)
            if after.connections[one].torn:
                return after, False
    after = model.tick(swept)
    return (after, True) if after != swept or swept == state else (swept, False)


def ended_well(state: State) -> bool:
    """What is missing is gone, unless it is more than may go without a person's word: then a stop says so."""
    waiting = [one for one in state.connections if one.missing and not one.torn]
    return not waiting or (len(waiting) > LIMIT and state.stopped is not None and len(state.stopped) == len(waiting))
