# ruff: noqa: INP001, T201 - a script, not a package, and a command that prints
"""Writes docs/openapi.json from the routes, and tells which changes of it break a client: run it when a route changes.

    .venv/bin/python scripts/openapi_page.py                       # make the file anew
    .venv/bin/python scripts/openapi_page.py breaks OLD NEW        # exit 1 where NEW breaks a client of OLD
    .venv/bin/python scripts/openapi_page.py breaks                # the same, of the release before: its tag's file

A test compares the file with the app. With each change the public CI compares it with that of the release before: what
breaks a client wants a new major version. A new route, a new field of an answer, a new value of an open list of names
break none; a client that reads an unknown name goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "openapi.json"


def made() -> str:
    """The file's text."""
    sys.path.insert(0, str(ROOT))
    import function_app  # noqa: F401, PLC0415 - declares the routes; found only with the path above
    from functions.openapi.document import document  # noqa: PLC0415
    from functions.routing import declared  # noqa: PLC0415

    return json.dumps(document(declared()), indent=1, sort_keys=True) + "\n"


def breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What of the new document a client of the old one cannot go on with, a sentence each."""
    for path, operations in old["paths"].items():
        for method, before in operations.items():
            name = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{name} is gone."
                continue
            yield from _parameters(name, _resolved(old, before), _resolved(new, after))
            yield from _bodies(name, old, new, before, after)


def _parameters(name: str, before: Any, after: Any) -> Iterator[str]:
    known = {one["name"]: one for one in before.get("parameters", [])}
    now = {one["name"]: one for one in after.get("parameters", [])}
    for gone in sorted(set(known) - set(now)):
        yield f"{name} no longer takes {gone}."
    for one in sorted(now):
        if now[one].get("required") and not known.get(one, {}).get("required"):
            yield f"{name} now needs {one}."
    for one in sorted(set(known) & set(now)):
        yield from _narrowed(f"{name}: {one}", known[one].get("schema"), now[one].get("schema"), sent=True)


def _bodies(name: str, old: Any, new: Any, before: Any, after: Any) -> Iterator[str]:
    for status, answer in before["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in after["responses"]:
            yield f"{name} no longer answers {status}."
            continue
        was, now = _resolved(old, answer), _resolved(new, after["responses"][status])
        for kind in sorted(set(was.get("content", {})) - set(now.get("content", {}))):
            yield f"{name} no longer answers {kind}."
        yield from _narrowed(f"{name}: the answer", _schema(was), _schema(now), sent=False)
    sent, now = (_resolved(doc, _schema(one.get("requestBody", {}))) for doc, one in ((old, before), (new, after)))
    yield from _narrowed(f"{name}: the body", sent, now, sent=True)


def _narrowed(where: str, before: Any, after: Any, *, sent: bool) -> Iterator[str]:
    """What an answer has no more or may newly be, what a body newly needs or may be no more."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    several = max(sum(one.get("type") == "object" for one in _choices(part)) for part in (before, after)) > 1
    old, new = ({_kind(one, several): one for one in _choices(part)} for part in (before, after))
    given, taken = (old, new) if sent else (new, old)
    for one in sorted(set(given) - set(taken)) if _ANYTHING not in taken else ():
        yield f"{where} {_no_more(one, sent)}"
    for one in sorted(set(old) & set(new)):
        yield from _values(where, given[one].get("enum"), taken[one].get("enum"), sent=sent)
        yield from _fields(where, old[one], new[one], sent=sent)


_ANYTHING = "anything"


def _choices(part: Any) -> list[Any]:
    return list(part.get("anyOf") or part.get("oneOf") or [part])


def _kind(part: Any, several: bool) -> str:
    """What tells a choice from the others: its type; of several objects the name. Of an open list the last counts."""
    return str(part.get(_NAME if several and _NAME in part else "type", _ANYTHING))


def _no_more(what: object, sent: bool) -> str:
    return f"no longer may be {what}." if sent else f"may now be {what}."


def _values(where: str, given: list[str] | None, taken: list[str] | None, *, sent: bool) -> Iterator[str]:
    """Values of a closed list that the other side does not know."""
    if taken is None:
        return
    for one in ["any other value"] if given is None else sorted(set(given) - set(taken)):
        yield f"{where} {_no_more(one, sent)}"


def _fields(where: str, before: Any, after: Any, *, sent: bool) -> Iterator[str]:
    """What is missing in an answer, or newly needed in a body."""
    fields, now = before.get("properties", {}), after.get("properties", {})
    if sent:
        for one in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
            yield f"{where} now needs {one}."
    else:
        for one in sorted(set(before.get("required", ())) - set(after.get("required", ()))):
            yield f"{where} no longer has {one} always."
    for one in fields:
        if one not in now:
            yield f"{where} no longer has {one}."
        else:
            yield from _narrowed(f"{where}.{one}", fields[one], now[one], sent=sent)
    yield from _narrowed(f"{where}[]", before.get("items"), after.get("items"), sent=sent)


def _schema(part: Any) -> Any:
    return part.get("content", {}).get("application/json", {}).get("schema", {})


_NAME = "$name"


def _resolved(whole: dict[str, Any], part: Any) -> Any:
    """The part with every reference in it replaced by what it names."""
    if isinstance(part, list):
        return [_resolved(whole, one) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found: Any = whole
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**_resolved(whole, found), _NAME: part["$ref"]}
    return {name: _resolved(whole, one) for name, one in part.items()}


def released(folder: Path) -> str | None:
    """The file as it was at the last tag `v*` before this commit; None: nothing is released."""
    with suppress(subprocess.CalledProcessError):
        tag = _git(folder, "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^").strip()
        return _git(folder, "show", f"{tag}:docs/openapi.json")
    return None


def _git(folder: Path, *words: str) -> str:
    asked = ["git", "-C", str(folder), *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout  # noqa: S603 - words of this script


def main(arguments: list[str], folder: Path = ROOT) -> int:
    """As the module says."""
    if not arguments:
        FILE.write_text(made(), encoding="utf-8")
        return 0
    if arguments[0] != "breaks" or len(arguments) not in {1, 3}:
        print("usage: openapi_page.py [breaks [OLD NEW]]", file=sys.stderr)
        return 2
    files = [Path(one).read_text(encoding="utf-8") for one in arguments[1:]]
    if not files:
        before = released(folder)
        if before is None:
            print("Nothing is released before this commit.")
            return 0
        files = [before, (folder / "docs" / "openapi.json").read_text(encoding="utf-8")]
    old, new = map(json.loads, files)
    found = list(breaks(old, new))
    print("\n".join(found) or "No client of the old document is broken.")
    majors = [one["info"]["version"].split(".")[0] for one in (old, new)]
    return 1 if found and majors[0] == majors[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
