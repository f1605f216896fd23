"""Azure's reads that lag: the local cloud shows workers how it stood a while ago. Used by `stage`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.faults.acts import at_once
from tests.faults.kinds import ALTERNATING
from tests.harness.estate import Estate


class LaggingAzure:
    """Stands before the local cloud; looks at long-running operations are never late."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.lag = 0
        self.late = False
        """Whether reads were ever late."""
        self.remembers = True
        """Whether states are still kept: each costs as much as some requests do."""
        self._reads = 0
        self._states: list[tuple[datetime, Any]] = []

    def open(self) -> None:
        """Stand before the cloud from now on."""
        arm = self._estate.arm
        inner = arm.app

        async def lagging(scope: Any, receive: Any, send: Any) -> None:
            reads = scope["method"] == "GET" and "Operation" not in scope["path"]
            state = self._as_read() if reads else None
            if state is None:
                await inner(scope, receive, send)
                if scope["method"] != "GET":
                    self.remember()
                return
            with arm.shown_as(state):
                at_once(inner(scope, receive, send))

        arm.app = lagging  # type: ignore[assignment]  # all that is asked of it is an answer
        arm.listeners.append(self.remember)
        arm.changes.append(self.remember)
        self.remember()

    def remember(self, _: Any = None) -> None:
        """Keep how Azure stands now."""
        if self.remembers:
            self._states.append((self._estate.clock.now(), self._estate.arm.snapshot()))

    def _as_read(self) -> Any:
        """The state that reads show; None for the present one."""
        self._reads += 1
        if not self.lag or (self.lag == ALTERNATING and self._reads % 2):
            return None
        self.late = True
        then = self._estate.clock.now() - timedelta(seconds=abs(self.lag))
        return next((state for at, state in reversed(self._states) if at <= then), self._states[0][1])
