"""The same deeds as in the random walks, chosen and put in order by hypothesis, which shortens what fails by itself.

A rule is a deed: of people and other managers, or of the platform (an event or message delivered, lost or doubled, a
sweep, a worker that dies, a service that fails). `watch` looks on at every write; the end is judged as there.
"""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.walk import hosting
from tests.walk.story import PEOPLES_DEEDS, Story

SEEDS = st.integers(min_value=0, max_value=2**16)


class Estate(RuleBasedStateMachine):
    """An estate of its own for each example, on a loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        """Which settings, and what the first endpoint is."""
        self._story = Story(seed)
        self._loop = self._open.enter_context(self._story.told())
        self._walk = self._loop.run_until_complete(self._story.begin())

    @rule(number=st.integers(min_value=0, max_value=len(PEOPLES_DEEDS) - 1), details=SEEDS)
    def people(self, number: int, details: int) -> None:
        """A person, or another manager, does something."""
        deed = PEOPLES_DEEDS[number][1]
        self._loop.run_until_complete(self._story.do(self._walk, deed, Random(details), "people", people=True))

    @rule(share=st.floats(min_value=0, max_value=1, exclude_max=True), details=SEEDS)
    def platform(self, share: float, details: int) -> None:
        """The platform does something."""
        deeds = hosting.deeds(self._walk.weather)
        deed = deeds[int(share * len(deeds))][1]
        self._loop.run_until_complete(self._story.do(self._walk, deed, Random(details), "platform", people=False))

    def teardown(self) -> None:
        """All comes to rest, and no harm was done."""
        with self._open:
            if hasattr(self, "_walk"):
                self._loop.run_until_complete(self._story.end(self._walk))


TestEstate = Estate.TestCase
TestEstate.settings = settings(
    max_examples=12, stateful_step_count=16, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
