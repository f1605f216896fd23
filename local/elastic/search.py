"""The query language of `POST /deployments/_search`, a cut of Elasticsearch's; called by the deployments operations.

Nested fields behave as in Elasticsearch: tags and resources are found by a `nested` query and by nothing else, which is
the mistake a client makes first. Queries the simulator does not know are refused, never guessed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any, Final

from local.elastic.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    Matches = Callable[[dict[str, Any]], bool]

_NESTED: Final = ("metadata.tags", "resources.elasticsearch", "resources.kibana", "resources.integrations_server")
_ANALYZED: Final = ("name",)
_DEFAULT_SIZE: Final = 10
_MAX_SIZE: Final = 10_000


def invalid_query(problem: str) -> ApiError:
    """The query is not one this search understands."""
    return ApiError(400, "deployments.search.invalid_query", f"The search request is invalid: {problem}", ("query",))


def search(body: Any, documents: list[dict[str, Any]], most: int = _MAX_SIZE) -> dict[str, Any]:
    """Answer a search request over all deployments the caller may see, with at most so many hits in a page."""
    request = _request(body)
    hits = _sorted(list(filter(compiled(request["query"]), documents)), request["sort"])
    start, size = request["from"], min(request["size"], most)
    page = hits[start : start + size]
    answer: dict[str, Any] = {"return_count": len(page), "match_count": len(hits), "deployments": page}
    if page and len(page) == size:
        # As a scroll does: a full page has a cursor even when nothing follows; the end is a page that is not full.
        answer["cursor"] = _encode(request | {"from": start + size})
    return answer


def _request(body: Any) -> dict[str, Any]:
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise invalid_query("object expected")
    if body.get("cursor"):
        return _decode(body["cursor"])
    unknown = set(body) - {"query", "size", "sort", "from", "cursor"}
    if unknown:
        raise invalid_query(f"unknown property {min(unknown)!r}")
    size, start = body.get("size", _DEFAULT_SIZE), body.get("from", 0)
    if type(size) is not int or type(start) is not int or size < 0 or start < 0 or size > _MAX_SIZE:
        raise invalid_query("size and from are whole numbers, size at most 10000")
    return {"query": body.get("query", {"match_all": {}}), "sort": body.get("sort", []), "size": size, "from": start}


def _encode(request: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(request).encode()).decode()


def _decode(cursor: Any) -> dict[str, Any]:
    try:
        request = json.loads(base64.urlsafe_b64decode(cursor))
        return {name: request[name] for name in ("query", "sort", "size", "from")}
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise invalid_query("unknown cursor") from None


def compiled(query: Any, scope: str = "") -> Matches:
    """What tells whether a document matches, made once for all of them; mistakes in any branch are told here.

    `scope` is the nested path that the query is inside of: its fields are looked up in one nested object alone.
    """
    if not isinstance(query, dict) or len(query) != 1:
        raise invalid_query("a query has exactly one kind")
    ((kind, clause),) = query.items()
    compile_kind = _KINDS.get(kind)
    if compile_kind is None:
        raise invalid_query(f"query kind {kind!r} is not supported")
    if not isinstance(clause, dict):
        raise invalid_query(f"{kind}: object expected")
    return compile_kind(clause, scope)


def _bool(clause: dict[str, Any], scope: str) -> Matches:
    if set(clause) - {"must", "filter", "should", "must_not", "minimum_should_match"}:
        raise invalid_query("bool: unknown property")
    must, filters, should, must_not = (
        [compiled(one, scope) for one in _clauses(clause, name)] for name in ("must", "filter", "should", "must_not")
    )
    required = must + filters
    needed = clause.get("minimum_should_match", 1 if should and not required else 0)
    return lambda document: (
        all(one(document) for one in required)
        and not any(one(document) for one in must_not)
        and (not needed or sum(one(document) for one in should) >= needed)
    )


def _clauses(clause: dict[str, Any], name: str) -> list[Any]:
    branch = clause.get(name, [])
    if not isinstance(branch, list):
        raise invalid_query(f"bool.{name}: array expected")
    return branch


def _nested(clause: dict[str, Any], scope: str) -> Matches:
    path = clause.get("path")
    if scope:
        raise invalid_query("nested: not inside another nested query")
    if path not in _NESTED:
        raise invalid_query(f"nested: {path!r} is no nested field")
    inner = compiled(clause.get("query"), path)
    *parts, last = path.split(".")

    def matches(document: dict[str, Any]) -> bool:
        node: Any = document
        for part in parts:
            node = node.get(part) if isinstance(node, dict) else None
        items = node.get(last) if isinstance(node, dict) else None
        return any(inner(item) for item in items or [])

    return matches


def _field(clause: dict[str, Any], kind: str, argument: str) -> tuple[str, str]:
    if len(clause) != 1:
        raise invalid_query(f"{kind}: exactly one field expected")
    ((field, wanted),) = clause.items()
    value = wanted.get(argument) if isinstance(wanted, dict) else None
    if not isinstance(value, str):
        raise invalid_query(f'{kind}: {{"{field}": {{"{argument}": "text"}}}} expected')
    return field, value


def _term(clause: dict[str, Any], scope: str) -> Matches:
    field, value = _field(clause, "term", "value")
    values = _values(field, scope)
    return lambda document: value in values(document)


def _prefix(clause: dict[str, Any], scope: str) -> Matches:
    field, value = _field(clause, "prefix", "value")
    values = _values(field, scope)
    return lambda document: any(found.startswith(value) for found in values(document))


def _match(clause: dict[str, Any], scope: str) -> Matches:
    field, value = _field(clause, "match", "query")
    values, wanted = _values(field, scope), set(_tokens(value))
    return lambda document: not wanted.isdisjoint(values(document))


def _exists(clause: dict[str, Any], scope: str) -> Matches:
    if not isinstance(clause.get("field"), str):
        raise invalid_query("exists: field expected")
    values = _values(clause["field"], scope)
    return lambda document: bool(values(document))


def _match_all(_clause: dict[str, Any], _scope: str) -> Matches:
    return lambda _document: True


def _match_none(_clause: dict[str, Any], _scope: str) -> Matches:
    return lambda _document: False


_KINDS: Final[dict[str, Callable[[dict[str, Any], str], Matches]]] = {
    "bool": _bool,
    "nested": _nested,
    "term": _term,
    "prefix": _prefix,
    "match": _match,
    "exists": _exists,
    "match_all": _match_all,
    "match_none": _match_none,
}


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _values(field: str, scope: str) -> Callable[[dict[str, Any]], list[str]]:
    """What finds the indexed values of a field; those of a nested field only inside its `nested` query."""
    path = field.removesuffix(".keyword")
    nested = next((n for n in _NESTED if path.startswith(f"{n}.")), "")
    if nested != scope:
        return lambda _document: []
    parts = path.removeprefix(f"{scope}.").split(".")
    if path in _ANALYZED and path == field:
        return lambda document: [token for value in _values_at(document, parts) for token in _tokens(value)]
    return lambda document: _values_at(document, parts)


def _values_at(document: Any, parts: list[str]) -> list[str]:
    nodes = [document]
    for part in parts:
        nodes = [node.get(part) for node in _flat(nodes) if isinstance(node, dict)]
    return [_text(node) for node in _flat(nodes) if node is not None and not isinstance(node, dict)]


def _flat(nodes: list[Any]) -> list[Any]:
    """The nodes with each list, and each list in a list, in the place of what it holds."""
    while any(isinstance(node, list) for node in nodes):
        nodes = [item for node in nodes for item in (node if isinstance(node, list) else [node])]
    return nodes


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sorted(hits: list[dict[str, Any]], sort: Any) -> list[dict[str, Any]]:
    if not isinstance(sort, list):
        raise invalid_query("sort: array expected")
    # Sorting is stable: the last key first gives the first key the last word. Without keys, the newest first.
    for key in reversed(sort or [{"metadata.last_modified": {"order": "desc"}}]):
        field, descending = _sort_key(key)
        hits = sorted(hits, key=_values(field, ""), reverse=descending)
    return hits


def _sort_key(key: Any) -> tuple[str, bool]:
    if isinstance(key, str):
        return key, False
    if isinstance(key, dict) and len(key) == 1:
        ((field, how),) = key.items()
        order = how.get("order", "asc") if isinstance(how, dict) else how
        if order in ("asc", "desc"):
            return field, order == "desc"
    raise invalid_query("sort: a field name or {field: {order}} expected")
