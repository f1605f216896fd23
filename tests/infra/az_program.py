"""Is `az` or `azd` for the tests of scripts; `az_that_records` starts it, often: it imports little."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def matches(asked: str, words: list[str]) -> bool:
    """Whether the words are among them, in their order."""
    rest = iter(words)
    return all(word in rest for word in asked.split(" "))


def main() -> None:
    """Be `az` or `azd`."""
    words = sys.argv[1:]
    calls = Path(os.environ["AZ_CALLS"])
    before = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    with calls.open("a", encoding="utf-8") as file:
        file.write(" ".join(words).replace("\n", " ") + "\n")
    for asked, answers in json.loads(Path(os.environ["AZ_ANSWERS"]).read_text(encoding="utf-8")):
        if matches(asked, words):
            number = sum(matches(asked, call.split(" ")) for call in before)
            found = answers[min(number, len(answers) - 1)]
            if isinstance(found, dict) and "__error__" in found:
                sys.exit("ERROR: " + found["__error__"])
            sys.stdout.write("" if found is None else json.dumps(found))
            return
    if "show" in words:
        sys.exit("ERROR: (ResourceNotFound) There is none.")
    if any(word == "list" or word.startswith("list-") for word in words):
        sys.stdout.write("[]")


if __name__ == "__main__":
    main()
