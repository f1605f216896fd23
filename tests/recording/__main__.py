"""`python -m tests.recording`: keep what the product sends and stores, and compare what it does today with that.

python -m tests.recording write [FOLDER]      play every scenario and keep it
python -m tests.recording compare [FOLDER]    play every scenario again; 1 when one differs
python -m tests.recording compare FOLDER happy_path 'walk-0?'    only these

Texts for people and real milliseconds are left out; requests to storage are counted and shown, not compared. What was
renamed or moved stands in `mapping`. FOLDER is tests/recording/data unless said otherwise.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

from tests.recording import files
from tests.recording.differences import differences
from tests.recording.listening import Line
from tests.recording.mapping import NO_LONGER_COMPARED
from tests.recording.scenarios import SCENARIOS, played
from tests.walk.story import WalkFailed

SHOWN = 10
"""Differences that are printed."""


def main(arguments: list[str]) -> int:
    """Run; 1 when something differs."""
    match arguments:
        case ["write", *folder] if len(folder) <= 1:
            return _write(Path(*folder) if folder else files.DATA)
        case ["compare", *rest]:
            return _compare(Path(rest[0]) if rest else files.DATA, rest[1:])
        case _:
            _say(__doc__ or "")
            return 2


def _write(folder: Path) -> int:
    began, total = time.monotonic(), Counter[str]()
    for name in SCENARIOS:
        lines = played(name)
        files.write(folder, name, lines)
        total += _counts(lines)
    size = sum(files.path_of(folder, name).stat().st_size for name in SCENARIOS)
    _say(f"{len(SCENARIOS)} scenarios, {size / 1024:.0f} KiB in {folder}, {time.monotonic() - began:.0f} s")
    _say(f"requests: {total['arm']} to Azure, {total['elastic']} to Elastic Cloud; {total['row']} rows and messages")
    return 0


def _compare(folder: Path, only: list[str]) -> int:
    began, found = time.monotonic(), list[str]()
    before, now = Counter[str](), Counter[str]()
    names = [name for name in SCENARIOS if not only or any(fnmatchcase(name, one) for one in only)]
    compared = [name for name in names if not any(fnmatchcase(name, one) for one in NO_LONGER_COMPARED)]
    for name in compared:
        kept = files.read(folder, name)
        before += _counts(kept)
        try:
            lines = played(name)
        except WalkFailed as error:
            found.append(f"{name}: fails: {str(error).splitlines()[0][:300]}")
            continue
        now += _counts(lines)
        found += [f"{name}: {one}" for one in differences(kept, lines)]
    _say(f"{len(compared)} scenarios compared in {time.monotonic() - began:.0f} s")
    for name, why in NO_LONGER_COMPARED.items():
        _say(f"no longer compared: {name}: {why}")
    _tell_counts(before, now)
    _say(f"{len(found)} differences{', the first of them:' if found else ''}")
    for one in found[:SHOWN]:
        _say(f"  {one[:1000]}")
    return bool(found)


def _counts(lines: list[Line]) -> Counter[str]:
    """Requests by service, rows, and requests to storage by table and kind."""
    counts = Counter[str]()
    for line in lines:
        name = {"request": line.get("service"), "storage": line.get("what")}.get(line["kind"], "row")
        counts[str(name)] += line.get("count", 1)
    return counts


def _tell_counts(before: Counter[str], now: Counter[str]) -> None:
    _say(f"{'':24} {'before':>8} {'now':>8}")
    for name, title in (("arm", "requests to Azure"), ("elastic", "to Elastic Cloud"), ("row", "rows and messages")):
        _say(f"{title:24} {before[name]:8} {now[name]:8}")
    for name in sorted(name for name in {*before, *now} if " " in name):
        _say(f"storage: {name:15} {before[name]:8} {now[name]:8}")
    storage = [sum(count for name, count in counted.items() if " " in name) for counted in (before, now)]
    _say(f"{'storage, all of it':24} {storage[0]:8} {storage[1]:8}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
