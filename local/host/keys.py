"""Access keys of the host, in the file format of the real one, so that they outlive a restart.

Read by `local.host.web`, made by `python -m local.host` and by tests.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, repr=False)
class Keys:
    """The master key, the host's function key, and the system key of the Event Grid extension."""

    master: str
    function: str
    event_grid: str

    @classmethod
    def generate(cls) -> Keys:
        """Return three new keys."""
        return cls(*(secrets.token_urlsafe(30) for _ in range(3)))

    @classmethod
    def load_or_create(cls, path: Path) -> Keys:
        """Read the keys in `path`; where there is no such file, make keys and write it, readable by its owner only."""
        if path.exists():
            value = json.loads(path.read_text(encoding="utf-8"))
            system = {key["name"]: key["value"] for key in value["systemKeys"]}
            function = {key["name"]: key["value"] for key in value["functionKeys"]}
            return cls(value["masterKey"]["value"], function["default"], system["eventgrid_extension"])
        keys = cls.generate()
        # Whole or not at all: others read the file as soon as it is there.
        partial = path.with_suffix(".part")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(keys.document(), indent=2), encoding="utf-8")
        partial.replace(path)
        return keys

    def document(self) -> dict[str, object]:
        """The keys as the real host stores them."""
        return {
            "masterKey": {"name": "master", "value": self.master, "encrypted": False},
            "functionKeys": [{"name": "default", "value": self.function, "encrypted": False}],
            "systemKeys": [{"name": "eventgrid_extension", "value": self.event_grid, "encrypted": False}],
        }

    def allow(self, level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether a request carries a key good enough for `level`: anonymous, function, admin, event_grid."""
        if level == "anonymous":
            return True
        given = (headers.get("x-functions-key") or query.get("code") or "").encode()
        accepted = {"function": (self.function, self.master), "event_grid": (self.event_grid, self.master)}
        # Every key is compared, each in constant time: the answer's time tells nothing.
        return any([hmac.compare_digest(given, key.encode()) for key in accepted.get(level, (self.master,))])  # noqa: C419 - see above
