# ruff: noqa: INP001 - a script, not a package
"""`make package`: `dist/autopilot.zip`, which runs as it is, with checksum and bill of materials. Its tests use it too.

What of this repository belongs in it is said once, in `.funcignore`, which azd and Core Tools read too; git's own
matcher applies it here. The libraries are those of `requirements.txt`, already where Azure's Python 3.12 looks
for them, and all of it is compiled: nothing is built when the package arrives, and nothing when an instance starts.
`--source` leaves libraries and bytecode out, for a remote build as azd has it made.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import dependencies

ROOT = Path(__file__).resolve().parent.parent
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: the same files make the same package, byte for byte."""


def package_files(root: Path) -> list[str]:
    """The files of the repository that are deployed, as paths below `root`."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--deduplicate", "-z"]
    known = _lines(command)
    left_out = set(_lines([*command, "--ignored", f"--exclude-from={root / '.funcignore'}"]))
    return sorted(path for path in known if path not in left_out and (root / path).is_file())


def _lines(command: list[str]) -> list[str]:
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed git command
    return [line for line in answer.stdout.split("\0") if line]


def write_package(root: Path, target: Path) -> int:
    """Write the zip of the source alone; returns how many files are in it."""
    return _write_zip(target, {path: root / path for path in package_files(root)})


def write_release(target: Path) -> None:
    """The package with its libraries, and beside it what is in it and the checksums of both."""
    version = (ROOT / "version.txt").read_text(encoding="utf-8").strip()
    materials = target.with_suffix(".cdx.json")
    python = dependencies.python_of_azure()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        libraries = folder / dependencies.PLACE
        dependencies.install(libraries)
        bill = dependencies.bill_of_materials(libraries, version)
        shutil.rmtree(libraries / "bin", ignore_errors=True)  # programs
        for path in package_files(ROOT):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
        if python:
            dependencies.compile_all(folder, python)
        found = (path for path in folder.rglob("*") if path.is_file())
        count = _write_zip(target, {path.relative_to(folder).as_posix(): path for path in found})
    materials.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    sums = "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in (target, materials))
    (target.parent / "SHA256SUMS").write_text(sums, encoding="utf-8")
    _tell(target, count)
    sys.stdout.write(f"{materials}: {len(bill['components'])} libraries\n{sums}")
    if not python:
        sys.stdout.write("NOT compiled, so it is no release: Python 3.12 is not here; PYTHON312 names it.\n")


def _write_zip(target: Path, files: dict[str, Path]) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return len(files)


def _tell(target: Path, count: int) -> None:
    with zipfile.ZipFile(target) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    ours = sum(size for name, size in sizes.items() if not name.startswith(dependencies.PLACE))
    packed = target.stat().st_size
    sys.stdout.write(
        f"{target}: {count} files, {sum(sizes.values()) / 2**20:.1f} MiB (our own {ours / 2**20:.1f}), "
        f"{packed / 2**20:.1f} MiB packed\n"
    )


def main() -> None:
    """Write the package and print its size."""
    parser = argparse.ArgumentParser(description="Write the deployment package.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "autopilot.zip")
    parser.add_argument("--source", action="store_true", help="without the libraries, for a remote build")
    asked = parser.parse_args()
    if asked.source:
        _tell(asked.output, write_package(ROOT, asked.output))
    else:
        write_release(asked.output)


if __name__ == "__main__":
    main()
