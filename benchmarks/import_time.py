"""Import time and memory of the function app, and of what it leaves until first use. Run by hand (`make benchmark`).

    python benchmarks/import_time.py

Every figure of the table is the median of five fresh interpreters; the rows take turns, so that a busy machine slows
all alike. Time is counted inside the process from before the import to after it; memory is the process's peak.

The last lines compare the import of the app with that of azure.functions and of all SDKs that it uses: the least
processor time of each, because other work on the machine only ever adds. At most a third is the goal. What the app
loads, and so why this is so, is held by `tests/functions/test_app_loading.py`.
"""

from __future__ import annotations

import json
import os
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
    "key vault": "import azure.keyvault.secrets.aio",
    "records": "import cattrs.preconf.json",
    "test of a connection": "import shared.probe.sockets",
}
SDKS = (
    "azure.functions",
    "azure.identity.aio",
    "azure.mgmt.network.aio",
    "azure.mgmt.privatedns.aio",
    "azure.data.tables.aio",
    "azure.eventgrid.aio",
    "httpx",
)
GOAL = 1 / 3
ALL_SDKS = "azure.functions and all SDKs, no app"
SETTINGS = {
    "AZURE_SUBSCRIPTIONS": "0a1b2c3d-0000-4000-8000-00000000beef",
    "AZURE_RESOURCE_GROUPS": "net-prod",
    "EC_API_KEY": "essu_key",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}
ROWS = {
    "interpreter": "",
    "azure.functions": "import azure.functions",
    "function_app": APP,
    **{f"function_app + {name}": f"{APP}; {code}" for name, code in FIRST_USE.items()},
    "function_app + all of it": "; ".join([APP, *FIRST_USE.values()]),
    ALL_SDKS: f"import {', '.join(SDKS)}",
}
CHILD = """
import json, resource, sys, time
started, busy = time.perf_counter(), time.process_time()
exec(sys.argv[1])
seconds, busy = time.perf_counter() - started, time.process_time() - busy
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
megabytes = peak / 1024 / (1024 if sys.platform == "darwin" else 1)
print(json.dumps([seconds * 1000, megabytes, len(sys.modules), busy * 1000]))
"""


def measure(code: str) -> list[float]:
    """Milliseconds, megabytes, modules and milliseconds of processor time of one fresh interpreter that runs `code`."""
    answer = subprocess.run(
        [sys.executable, "-c", CHILD, code],
        cwd=ROOT,
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
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
        milliseconds, megabytes, modules, _ = (median(column) for column in zip(*figures, strict=True))
        print(f"{name:40} {milliseconds:8.0f} {megabytes:8.1f} {modules:8.0f}")
    app, sdks = (min(busy for *_, busy in measured[name]) for name in ("function_app", ALL_SDKS))
    print(f"\nfunction_app: {app / sdks:.2f} of the time of {', '.join(SDKS)} ({app:.0f} of {sdks:.0f} ms)")
    print(f"goal: at most {GOAL:.2f}; {'reached' if app / sdks <= GOAL else 'MISSED'}")


if __name__ == "__main__":
    main()
