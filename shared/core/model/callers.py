"""Who asks the app for something that changes it: the caller's name and the request's correlation id. Pure.

Made by the HTTP triggers once a caller is known to be allowed; the journal and the log name them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SETTING, _SECRET = "AUTOPILOT_KEY_", "autopilot-key-"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, by whom."""

    by: str
    """Name of a deciding key, or the object id of a person or an application in Microsoft Entra."""
    correlation_id: str

    def __str__(self) -> str:
        """For the log."""
        return f"by={self.by} correlation={self.correlation_id}"


def deciding_setting(name: str = "") -> str:
    """The setting that holds the deciding key of this name; without one, what such settings begin with."""
    return _SETTING + name.upper().replace("-", "_")


def deciding_secret(name: str = "") -> str:
    """The vault's secret that holds the deciding key of this name; without one, what such secrets begin with."""
    return _SECRET + name


def deciding_name(text: str) -> str | None:
    """The name that a setting's or a secret's name says; None: it names no deciding key."""
    for prefix in (_SETTING, _SECRET):
        if text.startswith(prefix):
            name = text.removeprefix(prefix).lower().replace("_", "-")
            return name if _NAME.fullmatch(name) else None
    return None
