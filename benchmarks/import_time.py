"""Import time and memory of the function app, and of what it leaves until first use. Run by hand and by whoever doubts.

    python benchmarks/import_time.py

Every figure is the median of five fresh interpreters; the rows take turns, so that a busy machine slows all alike. Time
is counted inside the process from before the import to after it; memory is the process's peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

ROUNDS = 5
ROOT = Path(__file__).resolve().parent.parent
APP = "import function_app"
FIRST_USE = {
    "Azure Resource Manager": "import azure.mgmt.network.aio, azure.mgmt.privatedns.aio, azure.core.pipeline.transport",
    "identity": "import azure.identity.aio",
    "tables and queue": "import shared.state.azure_tables, shared.state.azure_queue",
    "Elastic Cloud": "import httpx",
    "records": "import cattrs.preconf.json",
    "test of a connection": "import shared.probe.sockets",
}
ROWS = {
    "interpreter": "",
    "azure.functions": "import azure.functions",
    "function_app": APP,
    **{f"function_app + {name}": f"{APP}; {code}" for name, code in FIRST_USE.items()},
    "function_app + all of it": "; ".join([APP, *FIRST_USE.values()]),
}
CHILD = """
import json, resource, sys, time
started = time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds * 1000, peak / 1024 / (1024 if sys.platform == "darwin" else 1), len(sys.modules)]))
"""


def measure(code: str) -> list[float]:
    """Milliseconds, megabytes and modules of one fresh interpreter that runs `code`."""
    answer = subprocess.run(
        [sys.executable, "-c", CHILD, code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    figures: list[float] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Measure all rows in turns and print the table."""
    measure(ROWS["function_app + all of it"])  # compiles what is not compiled yet
    measured: dict[str, list[list[float]]] = {name: [] for name in ROWS}
    for _ in range(ROUNDS):
        for name, code in ROWS.items():
            measured[name].append(measure(code))
    print(f"Python {sys.version.split()[0]}, median of {ROUNDS} fresh processes\n")
    print(f"{'':40} {'ms':>8} {'MB':>8} {'modules':>8}")
    for name, figures in measured.items():
        milliseconds, megabytes, modules = (median(column) for column in zip(*figures, strict=True))
        print(f"{name:40} {milliseconds:8.0f} {megabytes:8.1f} {modules:8.0f}")


if __name__ == "__main__":
    main()
