"""Azure CLI and azd, as the hooks call them. Every answer is JSON; what Azure refuses is raised with its own words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PAUSE = float(os.environ.get("AUTOPILOT_HOOK_PAUSE", "10"))
"""Seconds between two looks at something that needs a moment; the tests have none."""
SOON = (
    "AuthorizationFailed",
    "PrincipalNotFound",
    "RoleDefinitionDoesNotExist",
    "(403)",
    "Forbidden",
    "AnotherOperation",
)
"""What Azure says for a minute or two after a role is assigned, or while it still does something else."""


class Refused(Exception):
    """Azure CLI ended with an error; the text is what it said."""


def az(*words: str) -> Any:
    """Call Azure CLI; its answer as JSON values, None where there is none."""
    answer = _run("az", *words, "--only-show-errors", "--output", "json")
    return json.loads(answer) if answer.strip() else None


def az_log(*words: str) -> str:
    """What Azure CLI logs of a call: the headers of the answer are only there. It masks the token itself."""
    return _ended("az", *words, "--debug").stderr


def az_soon(*words: str, tries: int = 12) -> Any:
    """The same, again and again while Azure refuses what it grants a minute later."""
    for attempt in range(1, tries + 1):
        try:
            return az(*words)
        except Refused as refusal:
            if attempt == tries or not any(sign in str(refusal) for sign in SOON):
                raise
            if attempt == 1:
                say("  refused for now, which passes while a new right spreads; trying again for two minutes")
            time.sleep(PAUSE)
    raise AssertionError


def looks(times: int) -> Iterator[int]:
    """Numbers of that many looks, with a pause between two."""
    for number in range(times):
        if number:
            time.sleep(PAUSE)
        yield number


def unless_refused(ask: Callable[[], Any], otherwise: Any = None) -> Any:
    """The answer, or `otherwise` where Azure gives none: for what may be gone already."""
    try:
        return ask()
    except Refused:
        return otherwise


def by_azd() -> bool:
    """Whether azd runs this: then its environment keeps what the hooks find out."""
    return bool(os.environ.get("AZURE_ENV_NAME")) and shutil.which("azd") is not None


def remember(name: str, value: str, parameter: str) -> None:
    """Keep a choice for this and every later deployment; without azd say which parameter has to be given."""
    os.environ[name] = value
    # Also where azd is installed and has no such environment: then the person deploys without it.
    if not by_azd() or unless_refused(lambda: _run("azd", "env", "set", name, value)) is None:
        say(f"  Give the deployment the parameter {parameter}={value}")


def azd_values() -> dict[str, str]:
    """Choices and outputs of azd's environment, for a hook that a person starts; none without azd."""
    if shutil.which("azd") is None:
        return {}
    answer = unless_refused(lambda: _run("azd", "env", "get-values", "--output", "json"), "")
    return {name: str(value) for name, value in json.loads(answer).items()} if answer.strip() else {}


def say(text: str) -> None:
    """Print a line at once: azd shows it as it comes."""
    print(text, flush=True)


def _run(program: str, *words: str) -> str:
    return _ended(program, *words).stdout


def command_of(program: str) -> list[str]:
    """The words that start a program. On Windows `az` is a batch file, whose shell would read `|` and quotes itself."""
    found = shutil.which(program)
    if found is None:
        sys.exit(f"{program} is not installed: https://aka.ms/installazurecli")
    python = Path(found).parent.parent / "python.exe"  # what the batch file itself starts
    is_batch = found.lower().endswith(".cmd") and python.exists()
    return [str(python), "-IBm", "azure.cli"] if is_batch else [found]


def _ended(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*command_of(program), *words]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    if answer.returncode != 0:
        raise Refused(answer.stderr.strip() or f"{program} ended with {answer.returncode}")
    return answer
