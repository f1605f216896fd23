"""What the plans do with each thing in each state: the cells of docs/ownership.md, by the code's own rules.

For each thing, state and event one or more situations; the word that each comes to stands in the page, in this order.
`adopted` is tried with no marker and with another installation's: both are others'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.core.model.markers import Marker
from shared.core.model.ownership import Owner
from shared.core.model.resources import Rule
from tests.core.core_parts import ADDRESS, GUID, KNOWN, link, plan_options, policy, record, target, zone
from tests.core.planning.ownership_situations import (
    ADDED,
    ADOPTED,
    ASSOCIATED,
    BORN_ANEW,
    CLAIMED,
    CLOSED,
    ELSEWHERE,
    MY_RECORD,
    NEIGHBOUR,
    NEW_ADDRESS,
    OFTEN,
    OLD_GUID,
    ONLY,
    OURS,
    SHARED,
    STRANGE,
    THEIRS,
    UNION,
    admitting_others,
    association,
    by_hand,
    claim,
    dns,
    elastic,
    gone_dns,
    gone_elastic,
    hub_link,
    mine,
    theirs_in,
)

Situation = Callable[[], str]
Row = tuple[list[Situation], list[Situation], list[Situation]]
"""What happens with a new endpoint, when something changes later, and when the endpoint is gone."""


def same_for(situation: Callable[[Marker | None], str]) -> Situation:
    """One word for each of the others."""

    def told() -> str:
        (word,) = {situation(marker) for marker in THEIRS}
        return word

    return told


CELLS: dict[tuple[str, str], Row] = {
    ("zone", "absent"): (
        [lambda: dns("zone")],
        [lambda: dns("zone", address=NEW_ADDRESS)],
        [lambda: gone_dns("zone", None)],
    ),
    ("zone", "ours"): (
        [lambda: dns("zone", mine())],
        [lambda: dns("zone", mine(), address=NEW_ADDRESS)],
        [lambda: gone_dns("zone", mine()), lambda: gone_dns("zone", mine(SHARED))],
    ),
    ("zone", "adopted"): (
        [same_for(lambda marker: dns("zone", replace(mine(), marker=marker)))],
        [same_for(lambda marker: dns("zone", replace(mine(), marker=marker), address=NEW_ADDRESS))],
        [same_for(lambda marker: gone_dns("zone", replace(mine(), marker=marker)))],
    ),
    ("zone", "in the way"): (
        [lambda: dns("zone", ELSEWHERE)],
        [lambda: dns("zone", mine(), ELSEWHERE)],
        [lambda: gone_dns("zone", ELSEWHERE)],
    ),
    ("link", "absent"): (
        [
            lambda: dns("link", mine(linked=False)),
            lambda: dns("link", mine(STRANGE, linked=False)),
        ],
        [lambda: dns("link", mine(linked=False))],
        [lambda: gone_dns("link", mine(linked=False))],
    ),
    ("link", "ours"): (
        [lambda: dns("link", mine())],
        [lambda: dns("link", mine(), address=NEW_ADDRESS)],
        [lambda: gone_dns("link", mine()), lambda: gone_dns("link", mine(), others=True)],
    ),
    ("link", "adopted"): (
        [same_for(lambda marker: dns("link", zone(link(marker=marker), record=MY_RECORD)))],
        [same_for(lambda marker: dns("link", zone(link(marker=marker), record=MY_RECORD), address=NEW_ADDRESS))],
        [same_for(lambda marker: gone_dns("link", zone(link(marker=marker), record=MY_RECORD)))],
    ),
    ("link", "in the way"): (
        [lambda: hub_link(mine(), ELSEWHERE)],
        [lambda: hub_link(mine(), ELSEWHERE)],
        [lambda: gone_dns("link", ELSEWHERE)],
    ),
    ("record", "absent"): (
        [lambda: dns("record", mine(None))],
        [lambda: dns("record", mine(None))],
        [lambda: gone_dns("record", mine(None))],
    ),
    ("record", "ours"): (
        [lambda: dns("record", mine())],
        [lambda: dns("record", mine(), address=NEW_ADDRESS)],
        [lambda: gone_dns("record", mine()), lambda: gone_dns("record", mine(SHARED))],
    ),
    ("record", "another endpoint's"): (
        [lambda: dns("record", mine(NEIGHBOUR)), lambda: dns("record", mine(NEIGHBOUR), options=UNION)],
        [lambda: dns("record", mine(NEIGHBOUR))],
        [lambda: gone_dns("record", mine(NEIGHBOUR))],
    ),
    ("record", "adopted"): (
        [same_for(lambda marker: dns("record", mine(record(ADDRESS, marker=theirs_in(marker)))))],
        [same_for(lambda marker: dns("record", mine(record(ADDRESS, marker=theirs_in(marker))), address=NEW_ADDRESS))],
        [same_for(lambda marker: gone_dns("record", mine(record(ADDRESS, marker=theirs_in(marker)))))],
    ),
    ("record", "in the way"): (
        [lambda: dns("record", mine(STRANGE))],
        [lambda: dns("record", mine(STRANGE))],
        [lambda: gone_dns("record", mine(STRANGE))],
    ),
    ("policy", "absent"): (
        [lambda: elastic("policy", record=KNOWN)],
        [lambda: elastic("policy")],
        [lambda: gone_elastic("policy")],
    ),
    ("policy", "ours"): (
        [lambda: elastic("policy", policy(), record=KNOWN)],
        [lambda: elastic("policy", policy(rules=(Rule("pe-search", OLD_GUID),)), record=BORN_ANEW)],
        [
            lambda: gone_elastic("policy", policy()),
            lambda: gone_elastic("policy", policy(rules=(*policy().rules, ADDED))),
            lambda: gone_elastic("policy", ASSOCIATED, memory=ADOPTED, targets=(CLOSED,)),
        ],
    ),
    ("policy", "adopted"): (
        [same_for(lambda marker: elastic("policy", by_hand(marker), record=KNOWN))],
        [same_for(lambda marker: elastic("policy", by_hand(marker, rules=(Rule("pe-search", OLD_GUID),))))],
        [same_for(lambda marker: gone_elastic("policy", by_hand(marker)))],
    ),
    ("policy", "in the way"): (
        [same_for(lambda marker: elastic("policy", by_hand(marker, rules=(Rule("misspelt", GUID),)), record=KNOWN))],
        [same_for(lambda marker: elastic("policy", by_hand(marker, rules=(Rule("misspelt", GUID),))))],
        [same_for(lambda marker: gone_elastic("policy", by_hand(marker, rules=(Rule("misspelt", GUID),))))],
    ),
    ("association", "absent"): (
        [
            lambda: association(target()),
            lambda: association(target(), options=plan_options()),
            lambda: association(target(attached=())),
        ],
        [lambda: association(target(), OURS), lambda: association(target(), OFTEN)],
        [lambda: gone_elastic("association", policy(), memory=OURS)],
    ),
    ("association", "ours"): (
        [lambda: association(CLOSED, OURS, standing=True)],
        [
            lambda: association(CLOSED, OURS, asks="", standing=True),
            lambda: association(ONLY, OURS, asks="", standing=True),
        ],
        [
            lambda: gone_elastic("association", ASSOCIATED, memory=OURS, targets=(CLOSED,)),
            lambda: gone_elastic("association", ASSOCIATED, memory=OURS, targets=(ONLY,)),
        ],
    ),
    ("association", "adopted"): (
        [lambda: association(CLOSED, standing=True)],
        [lambda: association(CLOSED, ADOPTED, asks="", standing=True)],
        [lambda: gone_elastic("association", ASSOCIATED, memory=ADOPTED, targets=(CLOSED,))],
    ),
    ("association", "in the way"): (
        [admitting_others],
        [lambda: admitting_others(OURS)],
        [
            lambda: gone_elastic(
                "association",
                policy(associations=("d1",), rules=(*policy().rules, ADDED)),
                memory=OURS,
                targets=(CLOSED,),
            )
        ],
    ),
    ("claim", "absent"): (
        [lambda: claim(None)],
        [lambda: claim(Owner.OURS)],
        [lambda: gone_elastic("claim", owner=Owner.OURS)],
    ),
    ("claim", "ours"): (
        [lambda: claim(Owner.OURS, CLAIMED)],
        [lambda: claim(Owner.OURS, CLAIMED, asked=False)],
        [lambda: gone_elastic("claim", owner=Owner.OURS, claims=(CLAIMED,))],
    ),
    ("claim", "adopted"): (
        [lambda: claim(None, CLAIMED)],
        [lambda: claim(Owner.ADOPTED, CLAIMED, asked=False)],
        [lambda: gone_elastic("claim", owner=Owner.ADOPTED, claims=(CLAIMED,))],
    ),
    ("claim", "in the way"): (
        [lambda: claim(None)],
        [lambda: claim(None)],
        [lambda: gone_elastic("claim")],
    ),
}
