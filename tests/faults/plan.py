"""What a plan is, and the words for it. Used by `search`, which plays plans, and `__main__`, which tells of them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from tests.faults.kinds import FOLLOWS, Kind, kinds_of
from tests.harness.wire import Call

OF_A_LIFE = 100_000
"""Numbers that each life has for its plans."""
ALIKE = 3
"""So many calls of one name get every kind of fault; each later one a third of them, in turn."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One fault at one call of one life, and what follows."""

    number: int
    life: str
    call: int
    name: str
    kind: Kind
    follow: str
    alike: int = 0
    """How many calls of this name came before it in this life."""

    @property
    def words(self) -> str:
        """The plan as a sentence."""
        what = self.kind.words.lstrip(", ")
        return f"{self.life}; at call {self.call}, {self.name}: {what}; work goes on {self.follow}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of all plans are played."""

    share: float = 1.0
    seed: int = 0
    every_follow: bool = False
    """Each fault at each call with everything that may follow it; else with one thing, in turn."""
    number: int | None = None
    """This one only."""
    pairs: bool = False
    call: str = ""
    """Only faults at calls in whose name this regular expression is found."""
    kind: str = ""
    """Only faults in whose words this one is."""

    def wants(self, plan: Plan) -> bool:
        """Whether a plan is played here."""
        if self.number is not None:
            return plan.number == self.number
        if not re.search(self.call, plan.name) or not re.search(self.kind, plan.kind.words):
            return False
        fault, follow = divmod(plan.number, len(FOLLOWS))
        if not self.every_follow:
            if follow != (fault + self.seed) % len(FOLLOWS):
                return False
            if plan.alike >= ALIKE and (fault + plan.alike + self.seed) % ALIKE:
                return False
        chance = random.Random(f"{self.seed} {plan.number}").random()
        return chance < self.share


def plans_at(life: int, name: str, call: Call, position: int, first: int, alike: int) -> list[Plan]:
    """Every plan of this call; `first` is the number of plans that the life has before it."""
    pairs = [(kind, follow) for kind in kinds_of(call) for follow in FOLLOWS]
    return [
        Plan(life * OF_A_LIFE + first + place, name, position, call.name, kind, follow, alike)
        for place, (kind, follow) in enumerate(pairs)
    ]
