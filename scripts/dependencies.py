# ruff: noqa: INP001 - a script, not a package
"""What the deployment package brings along: locked versions with their hashes, as Azure's Python 3.12 loads them.

    python3.12 scripts/dependencies.py      writes requirements.txt anew, from requirements.in

`package.py` installs exactly that, compiles it, and lists it in the package's bill of materials. pip does the work: it
resolves, downloads, compares hashes and tells what it found. It has to be that of Python 3.12, because pip judges
conditions such as `python_version < "3.13"` by the Python that it runs on; installing what is locked works with any.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from email.parser import Parser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKED = ROOT / "requirements.txt"
PLACE = ".python_packages/lib/site-packages"
"""Where Azure's Python worker looks for libraries in a package."""
RUNS_ON = (
    *("--only-binary", ":all:", "--python-version", "3.12", "--implementation", "cp"),
    *("--abi", "cp312", "--abi", "abi3", "--abi", "none"),
    *(
        "--platform",
        "manylinux_2_28_x86_64",
        "--platform",
        "manylinux_2_17_x86_64",
        "--platform",
        "manylinux2014_x86_64",
    ),
)
HEAD = """\
# What Azure installs, and what a package brings along, each file by its hash: pip refuses anything else. Written by
# scripts/dependencies.py from requirements.in; run it again when that changes, and for what is new in the libraries.
"""


def lock() -> str:
    """The text of the lock: the newest of everything that requirements.in allows now."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = ("--dry-run", "--ignore-installed", "--report", str(report), "-r", str(ROOT / "requirements.in"))
        _pip(*RUNS_ON, "--target", folder, *asked)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    lines = sorted(_locked_line(one) for one in found)
    return HEAD + "".join(lines)


def _locked_line(one: dict[str, Any]) -> str:
    name = re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower()
    digest = one["download_info"]["archive_info"]["hashes"]["sha256"]
    return f"{name}=={one['metadata']['version']} --hash=sha256:{digest}\n"


def locked() -> dict[str, tuple[str, str]]:
    """Version and hash of each library."""
    found = re.findall(r"^(\S+)==(\S+) --hash=sha256:(\w+)$", LOCKED.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (version, digest) for name, version, digest in found}


def install(folder: Path) -> None:
    """Put the libraries into a folder, without what differs from machine to machine: this one's bytecode."""
    _pip(*RUNS_ON, "--require-hashes", "--no-deps", "--no-compile", "--target", str(folder), "-r", str(LOCKED))
    for record in folder.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(sorted(one for one in lines if "/bin/" not in one)), encoding="utf-8")


def python_of_azure() -> str:
    """The Python 3.12 of this machine, which compiles as Azure's does: this one, that of PYTHON312, or one on PATH."""
    for one in (sys.executable, os.environ.get("PYTHON312"), shutil.which("python3.12")):
        asked = [one or "false", "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 12))"]
        if subprocess.run(asked, check=False, capture_output=True).returncode == 0:  # noqa: S603 - a Python, as above
            return str(one)
    return ""


def compile_all(folder: Path, python: str) -> None:
    """Compile all code below a folder, the same bytes each time.

    Azure mounts the package so that nothing can be written: without this each start from zero compiles the SDKs anew,
    at four times the processor time and three times the memory of loading them (`benchmarks/cold_start.py`). Python
    takes what is compiled without a look at the source; one of another version than 3.12 compiles that anew.
    """
    words = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), str(folder))
    command = [python, "-s", "-S", "-m", "compileall", *words]  # one process, in one order, with one order of sets
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S603 - compileall, as above


def bill_of_materials(folder: Path, version: str) -> dict[str, Any]:
    """The package's libraries in CycloneDX 1.5; the same libraries make the same document."""
    hashes = locked()
    components = []
    for metadata in sorted(folder.glob("*.dist-info/METADATA")):
        told = Parser().parsestr(metadata.read_text(encoding="utf-8"))
        name = re.sub(r"[-_.]+", "-", told["Name"]).lower()
        components.append(
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{told['Version']}",
                "name": name,
                "version": told["Version"],
                "purl": f"pkg:pypi/{name}@{told['Version']}",
                "licenses": [{"license": {"name": _license(told)}}],
                "hashes": [{"alg": "SHA-256", "content": hashes[name][1]}],
            }
        )
    app = {"type": "application", "bom-ref": "autopilot", "name": "elastic-privatelink-autopilot", "version": version}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([app, components]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": app},
        "components": components,
        "dependencies": [{"ref": "autopilot", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def _license(told: Any) -> str:
    classified = [one.split(" :: ")[-1] for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
    said = (told["License-Expression"] or told["License"] or "").strip().splitlines()
    return told["License-Expression"] or ", ".join(classified) or (said[0] if said else "not told")


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True)  # noqa: S603 - pip, with words of this module


if __name__ == "__main__":
    if sys.version_info[:2] != (3, 12):
        sys.exit("Run this with Python 3.12, which is what Azure runs the app with.")
    LOCKED.write_text(lock(), encoding="utf-8")
