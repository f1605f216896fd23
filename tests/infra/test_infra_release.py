"""The released package installs nothing and runs: from the unpacked zip alone, with no network."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import function_app
from tests.infra.shipped import ROOT
from tests.tools import worker

sys.path.insert(0, str(ROOT / "scripts"))
PACKAGE: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "package.py"))
DEPENDENCIES: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "dependencies.py"))
HERE = "".join(str(part) for part in sys.version_info[:2])
LIBRARIES = Path(".python_packages/lib/site-packages")
PYTHON = os.environ.get("PYTHON312") or ""
"""The Python that Azure runs the app with, where `.ci/run` has found one."""
pytestmark = [pytest.mark.e2e, pytest.mark.real_time, pytest.mark.xdist_group("package")]

NO_NETWORK = """
import sys
def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError("this program must not use the network: " + event)
sys.addaudithook(refuse)
"""
NOTHING_TO_COMPILE = """
def all_is_compiled(event, about):
    if event == "compile" and str(about[1]).endswith(".py"):
        raise OSError("this had to be compiled: " + str(about[1]))
sys.addaudithook(all_is_compiled)
"""
INDEX = (
    NO_NETWORK
    + NOTHING_TO_COMPILE
    + """
import importlib, json, pkgutil
import function_app, functions, shared
names = sorted(f.get_function_name() for f in function_app.app.get_functions())
for package in (functions, shared):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(names))
"""
)
IN_WORKER = (
    NO_NETWORK
    + """
import asyncio, json
sys.path.insert(0, sys.argv[1])
from worker_library import Worker
out, sys.stdout = sys.stdout, sys.stderr
found = asyncio.run(Worker.start(sys.argv[2]))
origins = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
json.dump([sorted(one.name for one in found.functions), origins], out)
"""
)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, as a release has it, and unpacked in `app`."""
    folder = tmp_path_factory.mktemp("release")
    PACKAGE["write_release"](folder / "autopilot.zip")
    with zipfile.ZipFile(folder / "autopilot.zip") as packed:
        packed.extractall(folder / "app")
    return folder


def run(*command: str, libraries: Path, cwd: Path) -> str:
    """Run a program with nothing of this environment but the libraries of the package; what it printed."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(libraries)}
    answer = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def functions() -> list[str]:
    function_app.app.functions_bindings = None
    return sorted(str(one.get_function_name()) for one in function_app.app.get_functions())


def test_the_same_files_make_the_same_release_byte_for_byte(released: Path, tmp_path: Path) -> None:
    PACKAGE["write_release"](tmp_path / "autopilot.zip")
    for name in ("autopilot.zip", "autopilot.cdx.json", "SHA256SUMS"):
        assert (tmp_path / name).read_bytes() == (released / name).read_bytes(), name


def test_the_checksums_are_those_of_the_files(released: Path) -> None:
    lines = (released / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == ["autopilot.zip", "autopilot.cdx.json"]
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((released / name).read_bytes()).hexdigest() == digest


def test_the_bill_of_materials_lists_every_library_in_the_package_with_its_licence(released: Path) -> None:
    bill = json.loads((released / "autopilot.cdx.json").read_text(encoding="utf-8"))
    listed = {(one["name"].replace("-", "_"), one["version"]) for one in bill["components"]}
    folders = [path.name.removesuffix(".dist-info") for path in (released / "app" / LIBRARIES).glob("*.dist-info")]
    assert {(name, version) for name, version in listed} == {
        (folder.rpartition("-")[0].lower(), folder.rpartition("-")[2]) for folder in folders
    }
    assert [one["name"] for one in bill["components"] if one["licenses"][0]["license"]["name"] == "not told"] == []
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")


def test_all_in_it_is_for_the_python_of_azure(released: Path) -> None:
    with zipfile.ZipFile(released / "autopilot.zip") as packed:
        names = packed.namelist()
        records = b"".join(packed.read(name) for name in names if name.endswith("RECORD"))
    assert [name for name in names if name.startswith(f"{LIBRARIES}/bin/")] == []
    assert b"/bin/" not in records
    assert any("cpython-312-x86_64-linux-gnu.so" in name for name in names)
    sources = {name for name in names if name.endswith(".py")}
    compiled = {name for name in names if name.endswith(".pyc")}
    assert compiled in (set(), {importlib.util.cache_from_source(name).replace(HERE, "312") for name in sources})
    assert bool(compiled) == (DEPENDENCIES["python_of_azure"]() != "")


def test_the_page_tells_its_size(released: Path) -> None:
    page = (ROOT / "docs" / "deploy-by-hand.md").read_text(encoding="utf-8")
    ((packed, unpacked),) = re.findall(r"(\d+) MiB packed, (\d+) MiB unpacked", page)
    with zipfile.ZipFile(released / "autopilot.zip") as archive:
        whole = sum(one.file_size for one in archive.infolist()) / 2**20
    if not DEPENDENCIES["python_of_azure"]():
        pytest.skip("no Python 3.12")
    assert int(packed) == pytest.approx((released / "autopilot.zip").stat().st_size / 2**20, rel=0.05)
    assert int(unpacked) == pytest.approx(whole, rel=0.05)


@pytest.mark.skipif(worker.missing() != "", reason=worker.missing())
def test_microsofts_worker_library_indexes_it_from_the_zip_alone(released: Path) -> None:
    app = released / "app"
    tools = Path(worker.__file__).parent
    told = run(str(worker.PYTHON), "-c", IN_WORKER, str(tools), str(app), libraries=app / LIBRARIES, cwd=released)
    names, origins = json.loads(told)
    assert names == functions()
    brought = {name.partition(".")[0] for name, file in origins.items() if file.startswith(str(worker.FOLDER))}
    assert brought <= {"azure_functions_runtime"}, "all else is in the package"


@pytest.mark.skipif(
    not PYTHON and sys.version_info[:2] != (3, 12), reason="Python 3.12 is not here: PYTHON312 names it"
)
def test_all_of_it_can_be_imported_on_the_python_of_azure_with_nothing_else_and_is_compiled(released: Path) -> None:
    python = PYTHON or sys.executable
    app = released / "app"
    told = run(python, "-S", "-c", INDEX, json.dumps(late_imports(app)), libraries=app / LIBRARIES, cwd=app)
    assert json.loads(told.splitlines()[-1]) == functions()


def late_imports(app: Path) -> list[str]:
    """Every module that the package's own code imports, inside functions too."""
    found: set[str] = set()
    for path in (one for folder in ("functions", "shared") for one in (app / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return sorted(found)
