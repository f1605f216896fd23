"""The catalogue of reasons: all that a condition, a verdict or a piece of advice can have, with symptom, cause and fix.

Read by `diagnosis_of` (where on the path is it?) and by the script that writes docs/troubleshooting.md. The code that
gives a reason keeps its own texts, with the names and addresses of the case; here stands what is true of every case. A
test holds the catalogue to the code, in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from shared.core.model import conditions as c
from shared.core.model.conditions import MOST_ABOUT, Explanation
from shared.core.model.reasons import Hop, Reason
from shared.core.reasons import checks, elastic, services, setup
from shared.core.reasons.commands import COMMANDS, COMMANDS_OF_PROJECTS, ONLY_IN_AZURE
from shared.core.reasons.entry import ReasonDoc

__all__ = ["SECTIONS", "ReasonDoc", "catalogue", "explain", "hop_of", "owns", "remedy_of"]

_SECTIONS: Mapping[str, tuple[ReasonDoc, ...]] = {
    "The whole": services.WHOLE,
    "Endpoint": setup.ENDPOINT,
    "Approval": setup.APPROVAL,
    "Zone, links and record": setup.DNS,
    "Policies and claims": elastic.POLICIES,
    "Targets": elastic.TARGETS,
    "Removal": elastic.REMOVAL,
    "Health check": checks.GOOD,
    "Health check: names": checks.NAMES,
    "Health check: way and TLS": checks.ROUTES,
    "Health check: answers": checks.ANSWERS,
    "Waiting for Azure and Elastic": services.DELAYS,
    "Refused by Azure and Elastic": services.REFUSALS,
}

SECTIONS: Mapping[str, tuple[ReasonDoc, ...]] = {
    title: tuple(
        replace(
            one,
            commands=COMMANDS.get(one.reason, ()),
            project_commands=COMMANDS_OF_PROJECTS.get(one.reason, COMMANDS.get(one.reason, ())),
            only_in_azure=ONLY_IN_AZURE.get(one.reason, ""),
        )
        for one in entries
    )
    for title, entries in _SECTIONS.items()
}
"""The reasons by what they are about, in the order of the page."""

_HOP_OF_TYPE: Mapping[str, Hop] = {
    c.RECOGNISED: Hop.ENDPOINT,
    c.ADDRESSED: Hop.ENDPOINT,
    c.ZONE_READY: Hop.DNS,
    c.LINKED: Hop.NETWORK,
    c.RECORD_READY: Hop.DNS,
    c.POLICY_READY: Hop.POLICY,
    c.CLAIMED: Hop.POLICY,
    c.APPROVED: Hop.APPROVAL,
    c.ASSOCIATED: Hop.TARGET,
    c.REACHABLE: Hop.TARGET,
    c.REMOVED: Hop.APP,
}


@cache
def catalogue() -> Mapping[Reason, ReasonDoc]:
    """The entry of each reason."""
    return {entry.reason: entry for entries in SECTIONS.values() for entry in entries}


def explain(reason: Reason, message: str, next_step: str = "", *about: Mapping[str, str]) -> Explanation:
    """The reason in one case; without a next step of the case's own it is the one of every case.

    `about`: what the placeholders of the remedy's commands stand for, once for each thing that it is about.
    """
    entry = catalogue()[reason]
    names = tuple(tuple(one.items()) for one in about[:MOST_ABOUT])
    return Explanation(reason, message, next_step or entry.remedy, entry.cause, entry.hop, names)


def remedy_of(reason: Reason) -> str:
    """What a person does about it, where the case has no names or addresses to add."""
    entry = catalogue().get(reason)
    return entry.remedy if entry is not None else ""


def owns(type_: str, reason: Reason) -> bool:
    """Whether the reason is about the same part of the path as conditions of this type are."""
    return hop_of(type_, reason) is _HOP_OF_TYPE.get(type_)


def hop_of(type_: str, reason: Reason) -> Hop:
    """Where on the path a condition of this type with this reason is."""
    known = catalogue().get(reason)
    if known is not None and known.hop is not None:
        return known.hop
    return _HOP_OF_TYPE.get(type_, Hop.APP)
