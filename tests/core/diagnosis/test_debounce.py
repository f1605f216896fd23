"""When a changed verdict counts: at once the first time and when it is good, else after several in a row."""

from __future__ import annotations

import pytest

from shared.core.diagnosis import Verdict, debounce, history
from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason

VERDICTS = {
    "H": Verdict("healthy", Explanation(Reason.REACHABLE, "It works.")),
    "R": Verdict("unreachable", Explanation(Reason.NO_ROUTE_ALTHOUGH_APPROVED, "Silence.", "Look.")),
    "F": Verdict("blocked", Explanation(Reason.FORBIDDEN_BY_POLICY, "No.", "Associate.")),
    "D": Verdict("degraded", Explanation(Reason.SERVICE_ERROR, "Ill.", "Look.")),
    "U": Verdict("unknown", Explanation(Reason.RESOLVER_FAILED, "No name server.", "Look.")),
}


def standing_after(results: str, needed: int) -> str:
    """What stands after each of these results, one letter each."""
    standing: Verdict | None = None
    recent: tuple[str, ...] = ()
    shown = []
    for letter in results:
        recent = history(recent, VERDICTS[letter])
        if debounce(standing, recent, needed):
            standing = VERDICTS[letter]
        shown.append(next(name for name, verdict in VERDICTS.items() if verdict is standing))
    return "".join(shown)


@pytest.mark.parametrize(
    ("needed", "results", "standing"),
    [
        (2, "R", "R"),
        (2, "U", "U"),
        (2, "HRRR", "HHRR"),
        (3, "HRRR", "HHHR"),
        (1, "HRH", "HRH"),
        (5, "HRRRRRR", "HHHHHRR"),
        (2, "HRHRHRH", "HHHHHHH"),
        (3, "HRRHRRH", "HHHHHHH"),
        (2, "RH", "RH"),
        (2, "RHR", "RHH"),
        (2, "HRRH", "HHRH"),
        (2, "HRF", "HHF"),
        (2, "RFF", "RRF"),
        (2, "RFRF", "RRRR"),
        (2, "RFDF", "RRDD"),
        (2, "HUU", "HHU"),
        (2, "HUR", "HHH"),
        (2, "HURU", "HHHU"),
        (2, "HRUR", "HHHR"),
        (2, "RUR", "RRR"),
        (2, "UR", "UU"),
        (2, "URR", "UUR"),
        (2, "UH", "UH"),
    ],
)
def test_what_stands_after_each_result(needed: int, results: str, standing: str) -> None:
    assert standing_after(results, needed) == standing


def test_the_history_is_short_and_newest_first() -> None:
    recent: tuple[str, ...] = ()
    for letter in "HHHHHHHHHHHHR":
        recent = history(recent, VERDICTS[letter])
    assert len(recent) == 10
    assert recent[:2] == ("unreachable NoRouteAlthoughApproved", "healthy Reachable")


@pytest.mark.parametrize("needed", [1, 2, 3, 4, 5])
def test_no_alternation_of_two_results_is_missed_for_ever_by_the_short_history(needed: int) -> None:
    assert standing_after("H" + "RU" * 10, needed)[-1] in "RU"
