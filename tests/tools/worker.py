"""Microsoft's own Python worker library, for the tests in `tests/runtime`, in an environment with the app's libraries.

`make test` runs this module to install it, where a Python 3.13 is found; else the tests are skipped and say so. The
library (`azure-functions-runtime`, MIT) runs on no older Python. `worker_calls.py` is what then runs there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.infra.shipped import ROOT

LIBRARY = "azure-functions-runtime>=1.2,<2"
REQUIREMENTS = ROOT / "requirements.in"
FOLDER = ROOT / ".venv-worker"
PYTHON = FOLDER / "bin" / "python"
INSTALLED = FOLDER / ".installed"
IS_313 = "import sys, venv; sys.exit(sys.version_info[:2] != (3, 13))"


def missing() -> str:
    """Why functions cannot be invoked in the library; empty if they can."""
    if INSTALLED.is_file() and INSTALLED.read_text(encoding="utf-8") == wanted():
        return ""
    return "Microsoft's worker library is not installed: make test installs it where it finds a Python 3.13"


def wanted() -> str:
    """What is installed when all is, so that a change of it installs anew."""
    return f"{LIBRARY} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"


def find_python() -> Path | None:
    """A Python 3.13: the one that `PYTHON313` names, else on PATH, else of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [os.environ.get("PYTHON313"), shutil.which("python3.13"), shutil.which("python3")]
    found += map(str, sorted(pyenv.glob("versions/3.13.*/bin/python")))
    return next((Path(one) for one in found if one and is_313(one)), None)


def is_313(program: str) -> bool:
    """Whether the program is one; a shim of pyenv may stand for a version that is not there."""
    asked = subprocess.run([program, "-c", IS_313], capture_output=True, check=False)  # noqa: S603 - asks for a version
    return asked.returncode == 0


def install() -> None:
    """Install the library, unless it is there."""
    if not missing():
        return
    base = find_python()
    if base is None:
        print("No Python 3.13 is found: tests in Microsoft's worker library will be skipped.")  # noqa: T201
        return
    print(f"Installing Microsoft's worker library into {FOLDER.name} (once, about a minute) ...", flush=True)  # noqa: T201
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([str(base), "-m", "venv", "--clear", str(FOLDER)], check=True)  # noqa: S603 - fixed arguments
    subprocess.run([*pip, LIBRARY, "-r", str(REQUIREMENTS)], check=True)  # noqa: S603 - fixed arguments
    INSTALLED.write_text(wanted(), encoding="utf-8")


if __name__ == "__main__":
    install()
