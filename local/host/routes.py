"""Route templates of HTTP functions (`connections/{id}/journal`). Used by `web`.

The syntax is ASP.NET Core's, the order of precedence is not: the Functions host tries its routes by the names of their
functions, so that `things/{id}` of a function `a` hides `things/all` of `b`
(https://github.com/Azure/azure-functions-host/issues/9876).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from local.host.definition import FunctionDefinition, HostError

_PARAMETER = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
_CONSTRAINTS = {None: "[^/]+", "int": "-?[0-9]+", "alpha": "[A-Za-z]+", "guid": "[0-9a-fA-F-]{36}"}


@dataclass(frozen=True)
class Route:
    """A compiled template; literals match in any case."""

    pattern: re.Pattern[str]
    methods: frozenset[str] | None
    level: str
    definition: FunctionDefinition

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Return the route parameters, decoded except for an encoded slash; None if the path is another's."""
        match = self.pattern.fullmatch(raw_path)
        if match is None:
            return None
        return {name: _decoded(value) for name, value in match.groupdict().items() if value is not None}


def _decoded(value: str) -> str:
    return "%2F".join(unquote(part) for part in re.split("%2f", value, flags=re.IGNORECASE))


def compile_route(definition: FunctionDefinition, prefix: str) -> Route:
    """Compile an HTTP function's route; raises `HostError` for what this host does not know."""
    template = str(definition.options["route"]).strip("/")
    segments = [*filter(None, prefix.split("/")), *filter(None, template.split("/"))]
    pattern = "".join(_segment(segment, template) for segment in segments)
    methods = definition.options.get("methods")
    allowed = None if methods is None else frozenset(str(method).upper() for method in methods)
    level = str(definition.options.get("authLevel") or "function").lower()
    return Route(re.compile(pattern + "/?", re.IGNORECASE), allowed, level, definition)


def _segment(segment: str, template: str) -> str:
    if "{" not in segment:
        return "/" + re.escape(segment)
    match = _PARAMETER.fullmatch(segment)
    if match is None or match["constraint"] not in _CONSTRAINTS:
        raise HostError(f"route {template!r}: the local host does not know {segment!r}")
    if match["all"]:
        return f"(?:/(?P<{match['name']}>.*))?"
    one = f"/(?P<{match['name']}>{_CONSTRAINTS[match['constraint']]})"
    return f"(?:{one})?" if match["optional"] else one
