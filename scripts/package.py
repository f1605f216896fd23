# ruff: noqa: INP001 - a script, not a package
"""`make package`: the deployment package, with exactly what runs, and its size. Also used by the tests of the package.

What belongs in it is said once, in `.funcignore`, which azd and Core Tools read too; git's own matcher applies it here.
The dependencies are not in it: Azure installs requirements.txt when the package arrives (remote build).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: the same files make the same package, byte for byte."""


def package_files(root: Path) -> list[str]:
    """The files that are deployed, as paths below `root`."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--deduplicate", "-z"]
    known = _lines(command)
    left_out = set(_lines([*command, "--ignored", f"--exclude-from={root / '.funcignore'}"]))
    return sorted(path for path in known if path not in left_out and (root / path).is_file())


def _lines(command: list[str]) -> list[str]:
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed git command
    return [line for line in answer.stdout.split("\0") if line]


def write_package(root: Path, target: Path) -> int:
    """Write the zip; returns how many files are in it."""
    files = package_files(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (root / path).read_bytes(), zipfile.ZIP_DEFLATED)
    return len(files)


def main() -> None:
    """Write the package and print its size."""
    parser = argparse.ArgumentParser(description="Write the deployment package.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "autopilot.zip")
    target: Path = parser.parse_args().output
    count = write_package(ROOT, target)
    with zipfile.ZipFile(target) as archive:
        whole = sum(entry.file_size for entry in archive.infolist())
    packed = target.stat().st_size
    sys.stdout.write(f"{target}: {count} files, {whole / 1024:.0f} KiB, {packed / 1024:.0f} KiB packed\n")


if __name__ == "__main__":
    main()
