"""Settings: what this installation is called, and whether it changes anything. A group of `PlanOptions`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.core.options import values as value
from shared.core.options.declaration import setting


class Mode(StrEnum):
    """What the app may do for an endpoint."""

    ENFORCE = "enforce"
    """Everything: bring it to what should be."""
    OBSERVE = "observe"
    """Read, plan, test and report; change nothing in Azure or Elastic Cloud."""
    IGNORE = "ignore"
    """Nothing, not even remove what was made for it."""


@dataclass(frozen=True, slots=True)
class InstallationOptions:
    """What this installation is called, and whether it changes anything."""

    mode: Mode = setting(
        "MODE",
        value.one_of(Mode.ENFORCE, Mode.OBSERVE),
        "enforce",
        "`enforce`, or `observe`, which changes nothing ([modes](#modes-what-the-app-may-do)).",
        deployed=True,
    )
    instance_id: str = setting(
        "INSTANCE_ID",
        value.instance,
        "autopilot",
        "Name of this installation in everything it makes, and of no other; the template adds a token. Change it only "
        "before the first run: what was made under another name counts as another installation's.",
    )
