"""A target's first policy and its last one: neither is given nor taken away unless that is allowed (S1, S2). Pure.

The first policy would cut the target off from all traffic that no policy admits; without the last one it is open to the
internet. What is not known counts as the worse case. Asked by `planning.wishes`, `planning.associations` and
`planning.removal`, and once more just before a request is sent, by `shared.reconciler.target_requests`.

That one keeps notes of our requests in one row per target: they may land late, and the list that a later worker reads
may be older than their answers. Every instant of a note is the storage service's. Only a list begun after a row read
whose `Date` is `LAG_SECONDS` past the note's instant ends it; until then a DELETE counts as done and a POST as perhaps
coming. `tests/models/target_requests.py` searches every order of steps, losses, delays and kills with these very rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.core.guards.consent import OPT_OUT_TAG, denied, is_denied, label_of, listed, opted_out, sentence, tagged
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model.conditions import Explanation
from shared.core.model.json_values import mapping
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import Reason
from shared.core.model.resources import Listing, Target, id_of
from shared.core.model.services import Family
from shared.core.model.steps import Associate, Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.reasons import explain

FIRST_POLICY_TAG = "elastic-privatelink-first-policy"
"""Tag of a target: `allow` permits its first policy, which closes it to everything that no policy admits."""

INGRESS_TYPES = frozenset({"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"})
"""Types of policy that close a target to the internet; egress and remote-cluster policies do not."""

LAST_POLICY_TAG = "elastic-privatelink-last-policy"
"""Tag of a target: `allow` permits that its last policy is taken away, which opens it to the internet."""

_CLOSED_TOO = (
    ": to the sign-in from the Elastic Cloud console, too, and to other deployments, whose cross-cluster search and "
    "replication, and monitoring, go by public ways"
)
"""Only a deployment's: the console signs in to a project's Kibana over its private connection, too."""


# -- the first one -------------------------------------------------------------------------------------------------


def may_be_first(target: Target, options: PlanOptions) -> bool:
    """Whether a setting or a tag allows that the target gets its first policy."""
    tag = target.tags.get(FIRST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(target, options.targets.first_policy_allowed)


def _what_it_has(target: Target, types: Mapping[str, str]) -> str:
    """Its policies, none of which keeps anyone out; counted by what they are."""
    if target.attached is None:
        return "Whether it has a policy is not known"
    counts = Counter(types.get(policy_id, "unknown") for policy_id in target.attached)
    if not counts:
        return "It has no policy"
    named = " and ".join(f"{count} of type {kind}" for kind, count in sorted(counts.items()))
    return f"It has no policy that restricts who may connect, only {named} ({', '.join(target.attached)})"


def first_policy_problem(target: Target, label: str, types: dict[str, str], options: PlanOptions) -> Explanation | None:
    """Why the target does not get its first policy; None: it may, or it has one."""
    if may_be_first(target, options) or any(
        types.get(policy_id) in INGRESS_TYPES for policy_id in target.attached or ()
    ):
        return None
    hosted = target.family is Family.HOSTED
    return explain(
        Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC,
        f"{sentence(label)}: {_what_it_has(target, types)}. The first one closes all its endpoints to everything that "
        f"no policy admits{_CLOSED_TOO if hosted else ''}.",
        f"Add it to the setting ELASTIC_FIRST_POLICY_ALLOWED "
        f"or tag the {target.family.noun} {FIRST_POLICY_TAG}=allow, if that is wanted; "
        "to keep other traffic, first associate an IP policy that admits it.",
        tagged(target, f"{FIRST_POLICY_TAG}=allow"),
    )


# -- the last one --------------------------------------------------------------------------------------------------


def plan_disassociation(
    target_id: str,
    policy_id: str,
    targets: Collection[Target],
    types: Mapping[str, str],
    options: PlanOptions,
    unseen: UnseenTargets = NONE_UNSEEN,
) -> Disassociate | Explanation:
    """The step, or why it is not taken. `types`: of each policy in the region, by its id."""
    target = next(iter(Listing.of(targets).where(id_of, target_id)), None)
    if target is None:
        return unseen.still_listed(target_id, policy_id) or _reopens(
            target_id, "what else protects it is not known: it is not visible to the API key", None
        )
    return _hands_off(target, options) or _unless_last(target, policy_id, types, options)


def _hands_off(target: Target, options: PlanOptions) -> Explanation | None:
    """Whether a setting or a tag keeps the app from changing anything about the target."""
    label = label_of(target)
    if is_denied(target, options):
        return denied(label)
    if not opted_out(target):
        return None
    return explain(
        Reason.DEPLOYMENT_OPTED_OUT,
        f"{sentence(label)} has the tag {OPT_OUT_TAG}=ignore: its association is left as it is.",
        f"Take that tag off the {target.family.noun}, or disassociate the policy in the Elastic Cloud console.",
        tagged(target, f"{OPT_OUT_TAG}=enforce"),
    )


def _unless_last(
    target: Target, policy_id: str, types: Mapping[str, str], options: PlanOptions
) -> Disassociate | Explanation:
    if may_reopen(target, options):
        return Disassociate(policy_id, target.id, target.name, may_reopen=True, family=target.family)
    if target.attached is None:
        return _reopens(label_of(target), "which other policies it has is not known", target)
    if not protected_without(policy_id, target.attached, types):
        return _reopens(label_of(target), "it is the last one that restricts who may connect", target)
    return Disassociate(policy_id, target.id, target.name, family=target.family)


def protected_without(policy_id: str, attached: tuple[str, ...], types: Mapping[str, str]) -> bool:
    """Whether another of the policies attached to a target keeps it closed to the internet."""
    return any(types.get(other) in INGRESS_TYPES for other in attached if other != policy_id)


def may_reopen(target: Target, options: PlanOptions) -> bool:
    """Whether a setting or a tag allows that the target's last policy is removed."""
    tag = target.tags.get(LAST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(target, options.targets.last_policy_allowed)


def _reopens(label: str, why: str, target: Target | None) -> Explanation:
    return explain(
        Reason.WOULD_REOPEN_PUBLIC_ACCESS,
        f"The policy stays associated with {label}: {why}. Without any policy it is open to the internet.",
        "Associate another policy with it first, for example an IP policy; or, if it may be open, add it to the "
        f"setting ELASTIC_LAST_POLICY_ALLOWED or tag it {LAST_POLICY_TAG}=allow.",
        *([] if target is None else [tagged(target, f"{LAST_POLICY_TAG}=allow")]),
    )


# -- notes of requests, just before one is sent ------------------------------------------------------------------------


LIST_LAGS = timedelta(seconds=120)
"""How long a list may show what is no more. Later the version may be current again: some ETags tell content alone."""
FUTURE = timedelta(hours=1)
"""No instant of ours is this far ahead of the read that shows it: a row that says so is damaged."""


@dataclass(frozen=True, slots=True)
class PolicyNote:
    """What is known of one policy and the target."""

    delete_until: datetime | None = None
    """The deadline of our last DELETE of the association."""
    post_until: datetime | None = None
    """The deadline of our last POST of it."""
    counts_from: datetime | None = None
    """The deadline of our last POST, or the first read that showed the association where we sent none since."""


class OutdatedList(NamedTuple):
    """A version of a target's list that its service no longer let be changed, and since when, by storage's clock."""

    version: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TargetReading:
    """The notes of a target as one read of its row showed them."""

    read_at: datetime
    """The storage service's `Date` of that read."""
    lag: timedelta
    """`LAG_SECONDS`: after a deadline and this, a list tells what became of a request."""
    notes: Mapping[str, PolicyNote] = field(default_factory=dict)
    """By policy id."""
    outdated: OutdatedList | None = None

    def is_outdated(self, version: str) -> bool:
        """Whether a list is shown as it was before a change that is known: to change that version would be refused."""
        known = self.outdated
        return known is not None and known.version == version and self.read_at < known.since + LIST_LAGS

    def deleting(self, policy_id: str) -> bool:
        """Whether a DELETE of ours may still land, or may have landed without showing yet."""
        return self._stands(self._of(policy_id).delete_until)

    def posting(self, policy_id: str) -> bool:
        """The same of a POST."""
        return self._stands(self._of(policy_id).post_until)

    def protects(self, policy_id: str) -> bool:
        """Whether a listed policy keeps the target closed for certain: in force, and not about to go by our doing."""
        since = self._of(policy_id).counts_from
        return since is not None and self.read_at >= since + self.lag and not self.deleting(policy_id)

    def learn(self, listed: Collection[str], at: datetime) -> TargetReading:
        """What one list says, begun after the row was read and answered by `at`."""
        notes = {}
        for policy_id in {*self.notes, *listed}:
            note = self._of(policy_id)
            if not self.deleting(policy_id) and not self.posting(policy_id):
                note = PolicyNote(counts_from=(note.counts_from or at) if policy_id in listed else None)
            if note != PolicyNote():
                notes[policy_id] = note
        return replace(self, notes=notes)

    def with_delete(self, policy_id: str, until: datetime) -> TargetReading:
        """The note of a DELETE that ends, answered or not, by `until`."""
        note = self._of(policy_id)
        return self._with(policy_id, replace(note, delete_until=max(until, note.delete_until or until)))

    def with_post(self, policy_id: str, until: datetime) -> TargetReading:
        """The note of a POST that ends by `until`; from then on the policy's age counts anew."""
        note = self._of(policy_id)
        latest = max(until, note.post_until or until)
        return self._with(policy_id, replace(note, post_until=latest, counts_from=latest))

    def ends_at(self, policy_id: str) -> datetime:
        """When all that is not certain about a policy ends."""
        note = self._of(policy_id)
        return (
            max(filter(None, (note.delete_until, note.post_until, note.counts_from)), default=self.read_at) + self.lag
        )

    def _of(self, policy_id: str) -> PolicyNote:
        return self.notes.get(policy_id, PolicyNote())

    def _with(self, policy_id: str, note: PolicyNote) -> TargetReading:
        return replace(self, notes={**self.notes, policy_id: note})

    def _stands(self, until: datetime | None) -> bool:
        return until is not None and self.read_at < until + self.lag


# -- may it be sent? -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotYet:
    """What waits, until when by the storage service's clock, and why."""

    until: datetime
    why: str


NOTHING_TO_DO = "nothing to do"
"""The association is not there, and nothing of ours can bring it any more."""


def disassociation_problem(
    step: Disassociate, listed: Collection[str], types: Mapping[str, str], reading: TargetReading
) -> NotYet | Explanation | str | None:
    """Why a DELETE is not sent; None: it may be. `reading`: the row as it was read before `listed` was (S2)."""
    if step.policy_id not in listed:
        if reading.deleting(step.policy_id) or reading.posting(step.policy_id):
            why = f"An earlier request about policy {step.policy_id} and {step.target} may still land"
            return NotYet(reading.ends_at(step.policy_id), why)
        return NOTHING_TO_DO
    others = [one for one in listed if one != step.policy_id and types.get(one) in INGRESS_TYPES]
    if any(reading.protects(one) for one in others):
        return None
    coming = [one for one in reading.notes if one != step.policy_id and reading.posting(one)]
    if step.may_reopen and not coming:
        return None
    if others or coming:
        why = f"Whether another policy keeps {step.target} closed without this one is not certain yet"
        return NotYet(min(map(reading.ends_at, coming or others)), why)
    what = f"The policy is by now the last one of {step.target}; without it that is open to the internet."
    return explain(Reason.WOULD_REOPEN_PUBLIC_ACCESS, what)


def association_problem(
    step: Associate, listed: Collection[str], types: Mapping[str, str], reading: TargetReading
) -> NotYet | Explanation | None:
    """Why a POST is not sent; None: it may be (S1): what is listed and not noted as gone counts, at any age."""
    others = [one for one in listed if one != step.policy_id and types.get(one) in INGRESS_TYPES]
    if step.may_be_first or any(not reading.deleting(one) for one in others):
        return None
    if others:
        why = f"Whether {step.target} keeps another policy is not certain yet"
        return NotYet(min(map(reading.ends_at, others)), why)
    what = f"{sentence(step.target)} has none of the policies any more that it was found with."
    return explain(Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC, what)


# -- the row -------------------------------------------------------------------------------------------------------


TARGET_ROWS = "target-"
"""What the names of all these rows begin with."""
ROW_KEPT = timedelta(days=30)
"""A row that was not written for so long holds no note that stands, only ages: they are counted anew."""


def row_name(organization: str, target_id: str) -> str:
    """Where the notes of a target stand in table `control`."""
    return f"{TARGET_ROWS}{organization or DEFAULT}-{target_id}"


def notes_in(document: Mapping[str, Any], read_at: datetime) -> dict[str, PolicyNote]:
    """The notes that a row holds; raises ValueError, KeyError, TypeError or AttributeError for a damaged one."""
    return {str(one): _note(entry, read_at) for one, entry in (document.get("policies") or {}).items()}


def outdated_in(document: Mapping[str, Any], read_at: datetime) -> OutdatedList | None:
    """The list's version that is known to be no more; raises as `notes_in` does."""
    entry = document.get("outdated")
    since = _instant(entry["since"], read_at) if entry else None
    return OutdatedList(str(entry["version"]), since) if entry and since else None


def document_of(reading: TargetReading, before: object) -> dict[str, Any]:
    """The row's document, with what this version does not know in the one that it replaces."""
    document = {name: value for name, value in mapping(before).items() if name != "outdated"}
    entries = mapping(document.get("policies"))
    document["policies"] = {
        one: {name: value for name, value in mapping(entries.get(one)).items() if name not in _FIELDS} | _entry(note)
        for one, note in sorted(reading.notes.items())
    }
    known = reading.outdated
    if known is not None and reading.read_at < known.since + LIST_LAGS:
        document["outdated"] = {"version": known.version, "since": known.since.isoformat()}
    return document


_FIELDS = ("delete_until", "post_until", "counts_from")


def _entry(note: PolicyNote) -> dict[str, str]:
    return {name: at.isoformat() for name in _FIELDS if (at := getattr(note, name)) is not None}


def _note(entry: Mapping[str, str], read_at: datetime) -> PolicyNote:
    return PolicyNote(*(_instant(entry.get(name), read_at) for name in _FIELDS))


def _instant(text: str | None, read_at: datetime) -> datetime | None:
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or found - read_at > FUTURE:
        raise ValueError(text)
    return found
