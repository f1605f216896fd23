"""Who may decide: a caller with a deciding key, or one that the platform signed in with the app role `Decide`.

Used by `responses` for each route that changes something. The function key, which the host checks, lets a caller read.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from functions.errors import DecisionNotPermitted
from shared.app import start
from shared.core.model.callers import deciding_secret, deciding_setting

if TYPE_CHECKING:
    from shared.context import Context

HEADER = "x-autopilot-key"
"""Carries the key of one who may decide."""
PRINCIPAL = "x-ms-client-principal"
"""Who is signed in, as App Service's authentication says it: it takes this header away from callers."""
ROLE = "Decide"
_ROLES = {"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"}
_OBJECT = {"oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"}


async def caller_of(headers: Mapping[str, str]) -> str:
    """The name of a caller who may decide; raises DecisionNotPermitted.

    Of a person the object id in Microsoft Entra: a name would be personal data in journal and log.
    """
    context = start()
    if context.settings.callers.signed_in and (signed_in := _signed_in(headers.get(PRINCIPAL, ""))):
        return signed_in
    owner = await context.deciding_keys.owner(headers.get(HEADER, ""))
    if owner is None:
        raise await _refusal(context, given=bool(headers.get(HEADER, "")))
    return owner


def _signed_in(principal: str) -> str | None:
    """The object id of a signed-in caller who has the role."""
    try:
        document: Any = json.loads(base64.b64decode(principal, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in document["claims"]]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    roles = {*_ROLES, str(document.get("role_typ"))}
    ids = [value for kind, value in claims if kind in _OBJECT]
    return ids[0] if ids and any(kind in roles and value == ROLE for kind, value in claims) else None


async def _refusal(context: Context, *, given: bool) -> DecisionNotPermitted:
    known = await context.deciding_keys.names()
    what = "This changes something, and the function key lets a caller only read."
    if given:
        what = f"The key in the header {HEADER} is none of those that may decide."
    vault = context.settings.elastic.key_vault_uri
    where = f"secret {deciding_secret()}<name> of key vault {vault}" if vault else f"setting {deciding_setting()}<NAME>"
    step = f"Send a deciding key in the header {HEADER} (a {where}), or sign in with the app role {ROLE}."
    if not known:
        step = f"Store a key of at least 20 letters as {where}, and send it in the header {HEADER} (docs/security.md)."
    return DecisionNotPermitted(what, next_step=step)
