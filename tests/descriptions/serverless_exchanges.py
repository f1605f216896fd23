"""Exchanges with Elastic's Serverless API, judged by `serverless.json`: strictly as to what is sent.

Used by the end-to-end tests, for everything that went over the wire in an instance, and by the tests beside this
module. An exchange is a line of `local.exchanges`; no code is shared with the client or the simulator. What no schema
can say is here: a list of filters is written with an ETag that was read, and leaves out one entry at most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import jsonschema

DESCRIPTION = json.loads(Path(__file__).with_name("serverless.json").read_text(encoding="utf-8"))
BASE = DESCRIPTION["servers"][0]["url"]
GATEWAY = {429, 502, 503, 504}
"""Statuses of what stands in front of every operation."""
PERSON = "local-user/"
"""Begins the User-Agent of what a person does at the command line."""
NO_VERSION = '"no-version-of-it"'
"""What the app asks with whether If-Match is honoured, without changing anything."""
_JSON = "application/json"


class Operation(NamedTuple):
    """An operation of the description, and the values in the path that was asked for."""

    described: Mapping[str, Any]
    values: Mapping[str, str]


class Judge:
    """One log's exchanges, in their order."""

    def __init__(self) -> None:
        self._etags: dict[str, dict[str, set[str]]] = {}
        """Of each project's path: by ETag, the ids in the list that came with it."""
        self._tokens: set[str] = set()
        self.judged = 0

    def findings(self, exchange: Mapping[str, Any]) -> list[str]:
        """What is wrong with an exchange; nothing for one that is not of this API."""
        parts = urlsplit(str(exchange["url"]))
        if exchange["service"] != "elastic" or not parts.path.startswith(f"{BASE}/"):
            return []
        self.judged += 1
        found = _operation(str(exchange["method"]), parts.path.removeprefix(BASE))
        about = f"{exchange['method']} {parts.path}"
        if found is None:
            return [f"{about}: there is no such operation"]
        said = [
            *_request(exchange, found, parts.query),
            *self._history(exchange, parts.path),
            *_answer(exchange, found),
        ]
        self._learn(exchange, parts.path)
        return [f"{about}: {one}" for one in said]

    def _history(self, exchange: Mapping[str, Any], path: str) -> Iterator[str]:
        """What is wrong with a request because of what was answered before."""
        headers, body = exchange["request_headers"], exchange["request_body"]
        token = headers.get("x-elastic-next-page")
        if token and token not in self._tokens:
            yield f"the page {token!r} was never answered"
        wanted = headers.get("if-match")
        if wanted == NO_VERSION and body != {}:
            yield "an ETag that no project has, with a change"
        if wanted in (None, NO_VERSION):
            if isinstance(body, dict) and "traffic_filters" in body and not _by_person(exchange):
                yield "the list of filters is written without If-Match"
            return
        known = self._etags.get(path, {}).get(wanted)
        if known is None:
            yield f"the ETag {wanted} was never answered for this project"
        elif isinstance(body, dict) and len(known - _ids(body)) > 1:
            yield f"the list leaves out {', '.join(sorted(known - _ids(body)))}"

    def _learn(self, exchange: Mapping[str, Any], path: str) -> None:
        headers, body = exchange["response_headers"], exchange["response_body"]
        if not isinstance(body, dict):
            return
        if headers.get("etag"):
            self._etags.setdefault(path, {})[str(headers["etag"])] = _ids(body)
        self._tokens |= {str(one) for one in (headers.get("x-elastic-next-page"), body.get("next_page")) if one}


def judge(exchanges: Iterable[Mapping[str, Any]]) -> list[str]:
    """Everything that is wrong with a log, each finding once."""
    judging = Judge()
    return list(dict.fromkeys(one for exchange in exchanges for one in judging.findings(exchange)))


def judge_file(file: Path) -> list[str]:
    """The same of a log on disk; a line that was cut off is none."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return judge(json.loads(line) for line in lines if f"{BASE}/" in line and line.endswith("\n"))


def _operation(method: str, path: str) -> Operation | None:
    for pattern, methods in DESCRIPTION["paths"].items():  # in its order: a fixed name before an id
        match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern), path)
        if match is not None and method.lower() in methods:
            return Operation(methods[method.lower()], match.groupdict())
    return None


def _request(exchange: Mapping[str, Any], found: Operation, query: str) -> Iterator[str]:
    headers, body = exchange["request_headers"], exchange["request_body"]
    if not str(headers.get("authorization", "")).startswith("ApiKey "):
        yield "no ApiKey in Authorization"
    yield from _parameters(found, parse_qsl(query, keep_blank_values=True), headers)
    described = found.described.get("requestBody")
    if described is None:
        if body is not None:
            yield "a body that the operation does not take"
    elif body is None:
        yield "no body"
    elif not str(headers.get("content-type", "")).startswith(_JSON):
        yield "the body is not sent as JSON"
    else:
        yield from _violations("body", body, described["content"][_JSON]["schema"])


def _parameters(found: Operation, query: list[tuple[str, str]], headers: Mapping[str, Any]) -> Iterator[str]:
    known = {(one["in"], one["name"]): one["schema"] for one in found.described.get("parameters", ())}
    given = [("query", *one) for one in query] + [("path", *one) for one in found.values.items()]
    given += [("header", name, headers[name]) for where, name in known if where == "header" and name in headers]
    conditions = {"if-match", "if-none-match", "x-elastic-next-page", "x-elastic-page-size"}
    for name in sorted((headers.keys() & conditions) - {name for _, name in known}):
        yield f"the header {name} is none of this operation"
    for where, name, value in given:
        if (where, name) not in known:
            yield f"the {where} parameter {name} is none of this operation"
        else:
            yield from _violations(f"{where} parameter {name}", value, known[where, name])
    for name in {name for name, _ in query if [one for one, _ in query].count(name) > 1}:
        yield f"the query parameter {name} is given twice"


def _answer(exchange: Mapping[str, Any], found: Operation) -> Iterator[str]:
    status, body = exchange["status"], exchange["response_body"]
    if status is None or status in GATEWAY:  # no answer came, or one of the gateway in front
        return
    described = found.described["responses"].get(str(status))
    if described is None:
        yield f"the status {status} is not declared"
        return
    described = _looked_up(described)
    if "content" in described:
        yield from _violations(f"answer {status}", body, described["content"][_JSON]["schema"])
    asked = found.values.get("project_id") or found.values.get("filter_id")
    if isinstance(body, dict) and asked and body.get("id", asked) != asked:
        yield f"the answer is about {body['id']}"


def _violations(what: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    whole = {**schema, "components": DESCRIPTION["components"]}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        yield f"{what} {error.json_path}: {error.message[:200]}"


def _looked_up(described: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = described.get("$ref")
    return described if reference is None else DESCRIPTION["components"]["responses"][reference.rpartition("/")[2]]


def _ids(body: Mapping[str, Any]) -> set[str]:
    return {str(one.get("id")) for one in body.get("traffic_filters") or () if isinstance(one, Mapping)}


def _by_person(exchange: Mapping[str, Any]) -> bool:
    return str(exchange["request_headers"].get("user-agent", "")).startswith(PERSON)
