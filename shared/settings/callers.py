"""Settings of those who may decide: keys of theirs that settings hold, and whether the platform signs callers in.

Used by `settings`. Names are part of the settings' names, so these are no group: AUTOPILOT_KEY_CI is the key `ci`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.model.callers import deciding_name, deciding_setting

SHORTEST = 20
"""Letters of a key, at least."""
_KEY = re.compile(r"[!-~]+")
_SIGNED_IN = "WEBSITE_AUTH_ENABLED"
"""Set by App Service: whether its authentication stands before the app, and takes headers of callers away."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may decide, as far as the settings say it."""

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By name."""
    signed_in: bool = False
    """Whether the headers that name a signed-in caller are the platform's."""


def read_callers(environ: Mapping[str, str]) -> tuple[Callers, list[str]]:
    """The settings, and all that is wrong with them, keys never shown."""
    problems: list[str] = []
    keys: dict[str, str] = {}
    for setting in sorted(one for one in environ if one.startswith(deciding_setting())):
        name, key = deciding_name(setting), environ[setting].strip()
        if not key:
            continue
        if name is None:
            problems.append(f"{setting}: expected at most 40 letters, digits and _ after {deciding_setting()}")
        elif len(key) < SHORTEST or not _KEY.fullmatch(key):
            problems.append(f"{setting}: expected at least {SHORTEST} letters and digits without spaces")
        elif key in keys.values():
            problems.append(f"{setting}: expected a key of its own, not that of another name")
        else:
            keys[name] = key
    return Callers(keys, signed_in=environ.get(_SIGNED_IN, "").strip().lower() == "true"), problems
