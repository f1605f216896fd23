"""What may still happen to a target: requests of ours that may land late, and since when each policy protects (S1, S2).

Pure; asked by `shared.reconciler.target_requests`, which keeps these notes in one row per target. Every instant here
is the storage service's. A note outlives the answer to its request: the list that a later worker reads may be older
than that answer. Only a list begun after a row read whose `Date` is `LAG_SECONDS` past the note's instant ends it;
until then a DELETE counts as done and a POST as perhaps coming. `tests/models/target_requests.py` searches every order
of steps, losses, delays and kills with these very rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.guards.consent import sentence
from shared.core.guards.first_and_last_policy import INGRESS_TYPES
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.steps import Associate, Disassociate
from shared.core.reasons import explain

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


@dataclass(frozen=True, slots=True)
class TargetReading:
    """The notes of a target as one read of its row showed them."""

    read_at: datetime
    """The storage service's `Date` of that read."""
    lag: timedelta
    """`LAG_SECONDS`: after a deadline and this, a list tells what became of a request."""
    notes: Mapping[str, PolicyNote] = field(default_factory=dict)
    """By policy id."""

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


ROWS = "target-"
"""What the names of all these rows begin with."""
ROW_KEPT = timedelta(days=30)
"""A row that was not written for so long holds no note that stands, only ages: they are counted anew."""


def row_name(organization: str, target_id: str) -> str:
    """Where the notes of a target stand in table `control`."""
    return f"{ROWS}{organization or DEFAULT}-{target_id}"


def notes_in(document: Mapping[str, Any], read_at: datetime) -> dict[str, PolicyNote]:
    """The notes that a row holds; raises ValueError, KeyError, TypeError or AttributeError for a damaged one."""
    return {str(one): _note(entry, read_at) for one, entry in (document.get("policies") or {}).items()}


def document_of(notes: Mapping[str, PolicyNote]) -> dict[str, Any]:
    """The row's document."""
    return {"policies": {policy_id: _entry(note) for policy_id, note in sorted(notes.items())}}


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
