"""Programs from npm, installed into a folder of this project. Used by `azurite`, and by tests that judge queries."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class NpmError(Exception):
    """A package could not be installed; the message says why and what to do."""


def npm_install(package: str, folder: Path) -> None:
    """Install a package (`name@version`) into `folder`, which npm makes; blocks until it is there."""
    npm = shutil.which("npm")
    if npm is None:
        raise NpmError(f"npm is not on PATH, and {package} is installed with it: install Node.js 22 or later")
    result = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), package],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise NpmError(f"npm could not install {package}:\n{result.stderr.strip()}")
