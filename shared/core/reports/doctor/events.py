"""Findings about events: what delivers them, and to which subscriptions that was lost or never added. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.core.model.conditions import count
from shared.core.model.event_topics import Delivery, TopicLook, identity_command
from shared.core.model.reasons import Reason
from shared.core.reports.doctor.findings import Finding, Level, ok

CHECK = "events"
_GONE = {
    Delivery.NO_TOPIC: "its system topic is gone",
    Delivery.NO_EVENT_SUBSCRIPTION: "the app's event subscription is gone from its system topic",
    Delivery.NO_IDENTITY: "its system topic has lost the identity that it delivers with",
    Delivery.NO_RIGHTS: "its system topic may not write to the app's storage",
}


def judge_events(looks: Sequence[TopicLook]) -> list[Finding]:
    """A finding for each subscription that lost its events, or part of them, and one for all that never had them."""
    lost = [one for one in looks if one.lost]
    missing = [one for one in looks if not one.lost and one.delivery is not Delivery.WHOLE]
    without = [one.subscription for one in missing if not one.zones_only]
    unheard = [one.subscription for one in missing if one.zones_only]
    partly = [one for one in looks if one.delivery is Delivery.WHOLE and one.left_out]
    whole = len(looks) - len(lost) - len(missing) - len(partly)
    findings = [*map(_lost, lost), *map(_filtered, partly)]
    if without:
        what = (
            f"{count(len(without), 'subscription')} without the app's event subscription: the sweep alone sees changes."
        )
        step = "Start scripts/topics.sh, which adds what is missing."
        details = {"subscriptions": without}
        findings.append(Finding(CHECK, Level.WARNING, what, ", ".join(without), step, details))
    if unheard:
        what = (
            f"What others change in zones of {count(len(unheard), 'subscription')} is repaired by the next sweep, not "
            "at once: no event reaches the app. Name a system topic there in EXISTING_SYSTEM_TOPICS."
        )
        findings.append(ok(CHECK, what, subscriptions=unheard))
    if whole:
        findings.append(ok(CHECK, f"Events of {count(whole, 'subscription')} reach the app.", subscriptions=whole))
    return findings


def _filtered(look: TopicLook) -> Finding:
    what = (
        f"The filter of the app's event subscription is that of another version: no events tell of "
        f"{', '.join(look.left_out)}. What these change the sweep alone sees."
    )
    step = f"Deploy again by azd up, or start scripts/topics.sh {look.subscription}: both write it anew."
    details = {"topic": look.topic, "operations": list(look.left_out)}
    return Finding(CHECK, Level.WARNING, what, look.topic, step, details)


def _lost(look: TopicLook) -> Finding:
    what = f"{Reason.EVENTS_LOST}: events of the subscription do not arrive, {_GONE[look.delivery]}."
    step = f"Start scripts/topics.sh {look.subscription}"
    if look.delivery is Delivery.NO_IDENTITY:
        step = (
            f"Ask the topic's owner to run: {identity_command(look)} Then start scripts/topics.sh {look.subscription}"
        )
    if look.delivery is Delivery.NO_RIGHTS:
        step += ", or scripts/roles.sh, which prints the commands for a platform team."
    details = {"topic": look.topic, "reason": str(Reason.EVENTS_LOST)}
    return Finding(CHECK, Level.PROBLEM, what, look.topic or look.subscription, step, details)
