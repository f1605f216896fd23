"""What the app may do at a place, as Azure tells it. Used by the doctor, for rights that no read can try."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.clouds.azure.arm_reads import read_list
from shared.clouds.azure.clients import ArmClients
from shared.core.model.errors import Forbidden
from shared.core.model.json_values import texts
from shared.core.model.reasons import Reason
from shared.core.reasons import explain

API = "2022-04-01"


async def ensure_permitted(clients: ArmClients, place: str, actions: Iterable[str], *, data: bool = False) -> None:
    """Return if the app may do all of this there; raises Forbidden, naming what it may not, and what reads raise.

    `data`: what is done inside a resource, at a place where the app may have no right to read its own rights.
    """
    wanted = tuple(actions)
    path = f"{place}/providers/Microsoft.Authorization/permissions"
    try:
        listed = await read_list(clients, path, API, "read what the app may do", subscription=place.split("/")[2])
    except Forbidden as error:
        if error.reason is not Reason.AZURE_RIGHTS_MISSING:
            raise
        if data:
            return
        what = f"Nothing tells whether the app may {_named(wanted)} on {place}: it may not read its own rights there."
        step = "Assign what gives that, if it is missing."
        raise Forbidden(explain(Reason.AZURE_RIGHTS_MISSING, what, step), on=place) from error
    missing = [
        one for one in wanted if not any(_gives(role, one, "dataActions" if data else "actions") for role in listed)
    ]
    if missing:
        what = f"The app's identity lacks the right {_named(missing)} on {place}."
        step = f"Assign a role that includes {_named(missing)} at that scope."
        raise Forbidden(explain(Reason.AZURE_RIGHTS_MISSING, what, step, {"scope": place}), on=place)


def _named(actions: Sequence[str]) -> str:
    return " and ".join(actions)


def _gives(role: Mapping[str, Any], action: str, kind: str) -> bool:
    denied = "not" + kind[:1].upper() + kind[1:]
    return _any(texts(role.get(kind)), action) and not _any(texts(role.get(denied)), action)


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(re.fullmatch(".*".join(map(re.escape, one.split("*"))), action, re.IGNORECASE) for one in patterns)
