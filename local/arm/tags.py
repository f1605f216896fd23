"""Tags as a resource of their own: what the portal, `az tag` and Azure Policy write. Called by `app`.

The resource changes with them, but no write of the resource is reported, only one of
`Microsoft.Resources/tags`: seen in activity logs, and in functions that Event Grid calls for all of a subscription.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import bad_request, not_found
from local.arm.model import Resource

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Tags(Handler):
    """GET, PUT (all of them), PATCH (merge, replace, delete) and DELETE of one resource's tags."""

    def __init__(self, context: Context, find: Callable[[str], Resource | None]) -> None:
        self._context, self._find = context, find

    def get(self, call: Call) -> Answer:
        """Read them."""
        return Answer(200, _render(call, self._owner(call).tags))

    def put(self, call: Call) -> Answer:
        """Replace them all."""
        return self._write(call, _given(call))

    def patch(self, call: Call) -> Answer:
        """Change some, as `operation` says."""
        given, present = _given(call), self._owner(call).tags
        spelled = {name.lower(): name for name in present}
        given = {spelled.get(name.lower(), name): value for name, value in given.items()}
        operation = str(call.document().get("operation", "")).lower()
        if operation == "merge":
            return self._write(call, present | given)
        if operation == "replace":
            return self._write(call, given)
        if operation == "delete":
            gone = {name for name, value in given.items() if value in ("", present.get(name))}
            return self._write(call, {name: value for name, value in present.items() if name not in gone})
        raise bad_request("InvalidTagsOperation", "The operation is none of 'Merge', 'Replace' and 'Delete'.")

    def delete(self, call: Call) -> Answer:
        """Remove them all."""
        self._write(call, {})
        return Answer(200)

    def _owner(self, call: Call) -> Resource:
        path = call.path.tagged
        owner = self._find(path.id)
        if owner is None:
            raise not_found(path.kind, path.name, path.resource_group or "")
        return owner

    def _write(self, call: Call, tags: dict[str, str]) -> Answer:
        owner = self._owner(call)
        owner.tags = tags
        owner.etag = _GUID.sub(self._context.guid(), owner.etag)  # each type writes etags in its own way
        self._context.emit(call, "Succeeded")
        self._context.changed()
        return Answer(200, _render(call, tags))


def _given(call: Call) -> dict[str, str]:
    tags = call.properties().get("tags")
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise bad_request("InvalidRequestContent", "The request content was invalid: tags must be texts by name.")
    return dict(tags)


def _render(call: Call, tags: dict[str, str]) -> dict[str, Any]:
    return {"id": call.path.id, "name": "default", "type": call.path.type, "properties": {"tags": tags}}
