"""If-Match and If-None-Match of the private DNS service. Used by zones, links and record sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.arm.context import Call


def failed_precondition(call: Call, what: str, etag: str | None, *, accept_quoted: bool) -> str | None:
    """Why the call's precondition does not hold (`etag` None: there is no such resource), or None if it does.

    Texts as recorded from the live service, except the one for If-Match on what is not there, which no recording shows.
    """
    if_match, if_none_match = call.headers.get("if-match"), call.headers.get("if-none-match")
    if if_none_match == "*" and etag is not None:
        return f"The {what} exists already and hence cannot be created again."
    if not if_match:
        return None
    if etag is None:
        return f"The {what} does not exist and hence cannot be modified."
    if if_match in ("*", etag) or (accept_quoted and if_match.strip('"') == etag.strip('"')):
        return None
    return f"The {what} has been modified (etag mismatch)."
