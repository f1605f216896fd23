"""What a start from zero costs from the released package, from a remote build, and from sources alone. Run by hand.

    python benchmarks/cold_start.py      needs Python 3.12, as PYTHON312 or on PATH, and pip's packages

Each figure is the least of five fresh interpreters that load the app and all that a run uses: processor time and peak
memory, in a folder where nothing can be written, as Azure mounts it. What Azure adds (the host, fetching and mounting
the package) is not in them. A remote build is what pip installs and compiles, beside the app's sources.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import import_time

sys.path.insert(0, str(import_time.ROOT / "scripts"))
PACKAGE: dict[str, Any] = runpy.run_path(str(import_time.ROOT / "scripts" / "package.py"))
PLACE = ".python_packages/lib/site-packages"
CODE = import_time.ROWS["function_app + all of it"]


def measure(python: str, app: Path) -> tuple[float, float]:
    """Milliseconds of processor time, and megabytes."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(app / PLACE), "PYTHONDONTWRITEBYTECODE": "1"}
    found = []
    for _ in range(import_time.ROUNDS):
        answer = subprocess.run(
            [python, "-s", "-c", import_time.CHILD, CODE],
            cwd=app,
            env=environment | import_time.SETTINGS,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        _, memory, _, busy = json.loads(answer.stdout.splitlines()[-1])
        found.append((busy, memory))
    return min(found)


def main() -> None:
    """Make the three and measure them."""
    python = PACKAGE["dependencies"].python_of_azure()
    if not python:
        print("A start from the package is not measured: Python 3.12 is not here; name it in PYTHON312.")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        released, built, sources = (folder / one for one in ("released", "built", "sources"))
        PACKAGE["write_release"](folder / "autopilot.zip")
        with zipfile.ZipFile(folder / "autopilot.zip") as packed:
            packed.extractall(released)
        shutil.copytree(released, sources, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(sources, built)
        subprocess.run([python, "-m", "compileall", "-q", str(built / PLACE)], check=True)
        for what, app in (("released package", released), ("remote build", built), ("sources alone", sources)):
            busy, memory = measure(python, app)
            print(f"{what:20} {busy:6.0f} ms of processor time, {memory:4.0f} MB")


if __name__ == "__main__":
    main()
