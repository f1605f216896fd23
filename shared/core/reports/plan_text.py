"""A plan that is shown instead of carried out: as JSON, and as text in the manner of `terraform plan`. Pure.

Made by `api.plan`. Each step says what it would do, to what, and why: the condition that it is to make true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.steps import Action, LaterStep, Step
from shared.core.reports.terminal import printable

SIGNS = {Action.CREATE: "+", Action.CHANGE: "~", Action.REMOVE: "-"}
BLOCKED = "!"
WAITING = "."


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done for one endpoint."""

    connection_id: str
    name: str
    endpoint: str
    mode: str
    steps: tuple[Step, ...] = ()
    later: tuple[LaterStep, ...] = ()
    """What follows these, and what it waits for."""
    conditions: tuple[Condition, ...] = ()
    """As they would be told now."""
    leftovers: tuple[str, ...] = ()
    """What a removal would leave."""
    note: str = ""
    """What a person should know: why nothing is planned, or when it would happen."""

    @property
    def blocked(self) -> tuple[Condition, ...]:
        """What only a person can free."""
        return tuple(one for one in self.conditions if not one.true and one.needs is c.WaitingFor.PERSON)

    @property
    def waiting(self) -> tuple[Condition, ...]:
        """What is under way, or comes by itself."""
        return tuple(one for one in self.conditions if not one.true and one.needs is c.WaitingFor.TIME)

    def why(self, step: Step) -> str:
        """The reason of a step: what its condition says."""
        return next((one.message for one in self.conditions if one.type == step.condition and not one.true), "")


def counts(previews: Iterable[Preview]) -> dict[str, int]:
    """How many steps of each kind, and how many conditions wait for a person."""
    previews = tuple(previews)
    found = Counter(str(step.action) for preview in previews for step in (*preview.steps, *preview.later))
    blocked = sum(len(preview.blocked) for preview in previews)
    return {**{str(action): found[action] for action in Action}, "blocked": blocked}


def preview_document(preview: Preview) -> dict[str, Any]:
    """It as JSON values."""
    return {
        "connection": preview.connection_id,
        "name": preview.name,
        "endpoint": preview.endpoint,
        "mode": preview.mode,
        "steps": [
            {"action": step.action, "condition": step.condition, "what": str(step), "why": preview.why(step)}
            for step in preview.steps
        ],
        "later": [
            {"action": step.action, "condition": step.condition, "what": step.what, "after": step.after}
            for step in preview.later
        ],
        "waiting": [{"condition": one.type, "reason": one.reason, "message": one.message} for one in preview.waiting],
        "blocked": [
            {"condition": one.type, "reason": one.reason, "message": one.message, "nextStep": one.next_step}
            for one in preview.blocked
        ],
        "left": list(preview.leftovers),
        "note": preview.note,
        "summary": counts([preview]),
    }


def preview_text(previews: Iterable[Preview], errors: Iterable[str] = ()) -> str:
    """It as text; connections with nothing to do are only counted. `errors`: what could not be read."""
    previews = tuple(previews)
    parts = [
        _text(one)
        for one in previews
        if one.steps or one.later or one.waiting or one.blocked or one.leftovers or one.note
    ]
    idle = len(previews) - len(parts)
    if idle:
        parts.append(f"{c.count(idle, 'connection is as it', 'connections are as they')} should be.")
    parts += [printable(f"Not read: {error}") for error in errors]
    found = counts(previews)
    total = f"Plan: {found['create']} to create, {found['change']} to change, {found['remove']} to remove"
    blocked = f"; {found['blocked']} wait for a person" if found["blocked"] else ""
    parts.append(f"{total}{blocked}. Nothing was changed.")
    return "\n\n".join(parts) + "\n"


def _text(preview: Preview) -> str:
    lines = [f"{preview.name} ({preview.connection_id}, {preview.mode})", f"  {preview.endpoint}"]
    if preview.note:
        lines.append(f"  {preview.note}")
    for step in preview.steps:
        lines.append(f"  {SIGNS[step.action]} {step}")
        why = preview.why(step)
        if why:
            lines.append(f"      {why}")
    for later in preview.later:
        lines += [f"  {SIGNS[later.action]} {later.what}", f"      after {later.after}"]
    lines += [f"  {WAITING} {one.type} {one.reason}: {one.message}" for one in preview.waiting]
    for one in preview.blocked:
        lines += [f"  {BLOCKED} {one.type} {one.reason}: {one.message}", f"      next: {one.next_step}"]
    lines += [f"  = stays: {text}" for text in preview.leftovers]
    return "\n".join(map(printable, lines))
