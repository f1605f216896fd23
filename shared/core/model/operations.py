"""What a person asked for over HTTP, and when it has ended: an operation, which its caller can follow. Pure.

Kept by `installation.operations`, shown by `api.operations`. It ends with the run that answers it: the one that handles
its message, or the one that a busy worker makes for it. That run's record names it (`ScheduleState.answered`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.model.json_values import stored_instant
from shared.core.model.record_parts import ScheduleState


class OperationKind(StrEnum):
    """What was asked for."""

    RECONCILE = "reconcile"
    CHECK = "check"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked for, by whom, on which connections."""

    id: str
    """The correlation id of all that it causes, in lower case."""
    kind: OperationKind
    by: str
    asked_at: datetime
    """By the storage service's clock."""
    generations: Mapping[str, int]
    """By connection id: how many runs had written its record when this was asked for."""

    def document(self) -> dict[str, Any]:
        """It as a row of table `control` holds it."""
        return {
            "kind": str(self.kind),
            "by": self.by,
            "askedAt": self.asked_at.isoformat(),
            "generations": dict(self.generations),
        }


def operation_in(operation_id: str, document: Mapping[str, Any]) -> Operation:
    """What a row says; raises ValueError, KeyError, TypeError or AttributeError where it says nothing."""
    generations = {str(one): int(count) for one, count in document["generations"].items()}
    kind, by = OperationKind(document["kind"]), str(document["by"])
    return Operation(operation_id, kind, by, stored_instant(document["askedAt"]), generations)


def has_ended(operation: Operation, connection_id: str, schedule: ScheduleState, generation: int) -> bool:
    """Whether a run that began after the operation was asked for has ended.

    One that was under way then wrote the record once; the run that writes it a second time began later.
    """
    answered = {one.lower() for one in schedule.answered}
    return operation.id in answered or generation >= operation.generations.get(connection_id, 0) + 2
