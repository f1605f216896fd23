"""Lists in pages, with absolute `nextLink`s. Used by every handler that lists."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call
from local.arm.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable


def page(call: Call, items: Iterable[dict[str, Any]], size: int) -> Answer:
    """The page that the call's `$skipToken` asks for (the first without one); `$top` makes pages smaller.

    The token names the last item shown, so that changes between two pages neither repeat nor skip the others.
    """
    query = {name.lower(): value for name, value in call.query.items()}
    ordered = sorted(items, key=_key)
    after = _decode(query.get("$skiptoken"))
    rest = ordered if after is None else [item for item in ordered if _key(item) > after]
    top = query.get("$top", "")
    limit = min(size, int(top)) if top.isdigit() and int(top) > 0 else size
    body: dict[str, Any] = {"value": rest[:limit]}
    if len(rest) > limit:
        token = base64.urlsafe_b64encode(_key(rest[limit - 1]).encode()).decode().rstrip("=")
        extra = {"$top": top} if top else {}
        body["nextLink"] = call.url(call.path.id, **extra, **{"$skipToken": token})
    return Answer(200, body)


def _key(item: dict[str, Any]) -> str:
    return str(item["id"]).lower()


def _decode(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_request("InvalidSkipToken", "The skip token is invalid.") from error
