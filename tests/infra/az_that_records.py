"""Stand-ins for `az` and `azd` for the tests of scripts: they note every call, and answer what a test lays down.

The program that is both is `az_program`: it reads its answers from `AZ_ANSWERS` and writes each call to `AZ_CALLS`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_program import matches

PROGRAM = Path(__file__).with_name("az_program.py")
ROOT = Path(__file__).resolve().parents[2]
SHELLS = [
    pytest.param("sh", id="sh"),
    pytest.param(
        "pwsh",
        id="pwsh",
        marks=pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed"),
    ),
]


class Recorded:
    """A folder with the stand-ins, what they answer, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: list[tuple[str, list[Any]]] = []
        self.environment: dict[str, str] = {}
        for name in ("az", "azd"):
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{PROGRAM}" {name} "$@"\n', encoding="utf-8")
            program.chmod(0o755)

    def answer(self, asked: str, *answers: Any) -> None:
        """What a call answers that has these words in this order; several: one after the other, the last stays."""
        self.answers.insert(0, (asked, list(answers)))

    def refuse(self, asked: str, *words: str) -> None:
        """The same with an error: `None` among the words is success."""
        self.answers.insert(0, (asked, [{"__error__": one} if one else None for one in words]))

    def run(
        self, hook: str, *arguments: str, shell: str = "sh", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a hook in a shell."""
        script = ROOT / "scripts" / ("hook.ps1" if shell == "pwsh" else "hook.sh")
        return self.run_script(shell, str(script), hook, *arguments, **environment)

    def run_script(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run any script with the stand-ins first on the path."""
        answers = self.folder / "answers.json"
        answers.write_text(json.dumps(self.answers), encoding="utf-8")
        return subprocess.run(  # noqa: S603 - a script of this repository
            command,
            env={
                "PATH": f"{self.folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "AZ_ANSWERS": str(answers),
                "AZ_CALLS": str(self.folder / "calls"),
                "AUTOPILOT_HOOK_PAUSE": "0",
                **self.environment,
                **environment,
            },
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
        )

    @property
    def calls(self) -> list[str]:
        """Every call, as one line each."""
        file = self.folder / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def called(self, asked: str) -> list[str]:
        """The calls that have these words in this order."""
        return [call for call in self.calls if matches(asked, call.split(" "))]

    @property
    def changes(self) -> list[str]:
        """The calls that are no questions."""
        questions = {"list", "show", "list-deleted", "list-flexconsumption-locations"}
        asked = (call for call in self.calls if not questions & set(call.split(" ")[:6]))
        return [call for call in asked if "/Microsoft.ResourceGraph/resources" not in call]
