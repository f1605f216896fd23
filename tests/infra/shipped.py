"""What `infra/` ships, as data: roles, names, queries, templates. Read by the tests here and by the end-to-end ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from local.arm import RoleAssignment

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
READER, WRITER = "endpointReader", "dnsWriter"


def load(name: str) -> dict[str, Any]:
    """A JSON file of `infra/`."""
    return dict(json.loads((INFRA / name).read_text(encoding="utf-8")))


def bicep(name: str) -> str:
    """A template's text without its comments."""
    text = (INFRA / name).read_text(encoding="utf-8")
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


@cache
def actions(role: str) -> tuple[str, ...]:
    """The actions of a shipped role."""
    return tuple(load("roles.json")[role]["actions"])


def assignments(
    *, read: Iterable[str], write: Iterable[str], join: Iterable[str], without: Iterable[str] = ()
) -> list[RoleAssignment]:
    """The role assignments that main.bicep makes for these scopes; `without`: (part of) a role left out."""
    left_out = tuple(without)
    return [
        *(RoleAssignment(scope, actions(READER), left_out) for scope in (*read, *join)),
        *(RoleAssignment(scope, actions(WRITER), left_out) for scope in write),
    ]
