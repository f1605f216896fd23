"""The deployment package is exactly what runs; that it runs with its own libraries is tested with the release."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.infra.shipped import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
PACKAGE: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "package.py"))
DEPENDENCIES: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "dependencies.py"))
TOP = {"function_app.py", "host.json", "requirements.txt", "version.txt"}
FOLDERS = {"functions", "shared"}
DEPLOYED = os.environ.get("PYTHON312") or sys.executable
"""The Python that Azure runs the app with, where `.ci/run` has found one."""
KINDS = {".py", ".csv", ".html", ".css", ".js", ".svg"}


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a program in a bare environment; what it printed."""
    answer = subprocess.run(  # noqa: S603 - programs named by the tests below
        command, cwd=cwd, env={"PATH": os.environ["PATH"]}, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_package_holds_the_app_and_nothing_else() -> None:
    files = set(PACKAGE["package_files"](ROOT))
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in KINDS
    }
    assert files == TOP | there
    assert {path for path in files if re.search(r"(^|/)(tests/|test_|conftest|local)", path)} == set()


def test_what_lies_beside_the_app_stays_out(tmp_path: Path) -> None:
    (tmp_path / ".funcignore").write_bytes((ROOT / ".funcignore").read_bytes())
    kept = [*TOP, "functions/a.py", "shared/core/a.py", "shared/core/a.csv"]
    left = ["local.settings.json", ".env", "tests/test_a.py", "local/a.py", ".azure/x/.env", ".venv/a.py", "venv/a.py"]
    left += ["node_modules/a.js", "dist/a.zip", "docs/images/a.png", "README.md", "main_env/pyvenv.cfg"]
    caches = ["shared/__pycache__/a.pyc", "shared/core/__pycache__/a.pyc", "functions/a.pyc", "tests/shared/a.py"]
    run("git", "init", "--quiet", str(tmp_path))
    for name in (*kept, *left, *caches):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert PACKAGE["package_files"](tmp_path) == sorted(kept)
    assert sorted(azd_files(tmp_path)) == sorted(kept)


def test_azd_packs_the_same_files() -> None:
    assert sorted(azd_files(ROOT)) == PACKAGE["package_files"](ROOT)
    # Before 1.23.13 azd took such lines for exclusions too (Azure/azure-dev, pull request 7311).
    assert "\n!" not in (ROOT / ".funcignore").read_text(encoding="utf-8")


def azd_files(root: Path) -> Iterator[str]:
    """What azd puts into its zip, by its source: it walks from the top and leaves out what `.funcignore` says.

    Its matcher is no git: a line that begins with a slash is matched against the whole path, where `*` stands for
    slashes too; any other against the name alone. Forms of lines that it reads in yet another way are not known here.
    Sources: Azure/azure-dev, createDeployableZip; denormal/go-gitignore, pattern.go.
    """
    lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in patterns if "/" in line.lstrip("!")[1:] or "**" in line] == []

    def left_out(path: Path) -> bool:
        whole = path.relative_to(root).as_posix()
        said = ""
        for line in patterns:
            pattern = line.lstrip("!")
            if fnmatchcase(whole if pattern.startswith("/") else path.name, pattern.lstrip("/")):
                said = line
        return said != "" and not said.startswith("!")

    def walk(folder: Path) -> Iterator[str]:
        for path in folder.iterdir():
            if left_out(path):
                continue
            if path.is_dir():
                yield from walk(path)
            else:
                yield path.relative_to(root).as_posix()

    return walk(root)


def test_a_clone_on_windows_has_the_same_lines() -> None:
    """Else the dev container there cannot run the scripts: a shell takes the carriage return for part of the line."""
    asked = ["scripts/hook.sh", ".ci/run", "Makefile", ".funcignore", "function_app.py"]
    assert run("git", "-C", str(ROOT), "check-attr", "eol", *asked).splitlines() == [f"{one}: eol: lf" for one in asked]


def test_the_same_files_make_the_same_package(tmp_path: Path) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert PACKAGE["write_package"](ROOT, one) == PACKAGE["write_package"](ROOT, two)
    assert one.read_bytes() == two.read_bytes()


def test_every_library_that_is_required_is_locked_in_a_version_that_is_allowed() -> None:
    """If it fails: run scripts/dependencies.py with Python 3.12."""
    locked = DEPENDENCIES["locked"]()
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    required = [Requirement(line.split("#")[0].strip()) for line in lines if line and line[0] != "#"]
    assert len(required) > 10
    for one in required:
        version, digest = locked[one.name]
        assert one.specifier.contains(version), one.name
        assert re.fullmatch("[0-9a-f]{64}", digest)


def test_what_azure_installs_is_told_apart_by_hashes_alone() -> None:
    """Of a file with hashes pip installs nothing without one: no newer version, nor another file of this one."""
    installed = [
        line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"
    ]
    assert [line for line in installed if not re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", line)] == []
    assert len(installed) == len(DEPENDENCIES["locked"]())
