"""Microsoft's own judgement of Kusto queries: the language service of its query editors, run by Node.js.

`make test` runs this module to install it; `judge` is called by the tests of the queries. MIT, 31 MB:
https://www.npmjs.com/package/@kusto/language-service-next
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.process.npm import npm_install
from tests.infra.shipped import ROOT

VERSION = "12.4.1"
FOLDER = ROOT / ".kusto"
TABLES = {
    "AppTraces": "(TenantId:string, TimeGenerated:datetime, Message:string, SeverityLevel:int, Properties:dynamic, "
    "Measurements:dynamic, OperationName:string, OperationId:string, ParentId:string, SyntheticSource:string, "
    "SessionId:string, UserId:string, UserAuthenticatedId:string, UserAccountId:string, AppVersion:string, "
    "AppRoleName:string, AppRoleInstance:string, ClientType:string, ClientModel:string, ClientOS:string, "
    "ClientIP:string, ClientCity:string, ClientStateOrProvince:string, ClientCountryOrRegion:string, "
    "ClientBrowser:string, ResourceGUID:string, IKey:string, SDKVersion:string, ItemCount:int, "
    "ReferencedItemId:string, ReferencedType:string, SourceSystem:string, Type:string, _ResourceId:string)",
    "AppMetrics": "(TenantId:string, TimeGenerated:datetime, Name:string, Sum:real, Min:real, Max:real, "
    "ItemCount:int, Properties:dynamic, OperationName:string, OperationId:string, AppVersion:string, "
    "AppRoleName:string, AppRoleInstance:string, IKey:string, SDKVersion:string, SourceSystem:string, Type:string, "
    "_ResourceId:string)",
    "AzureActivity": "(TimeGenerated:datetime, CorrelationId:string, HTTPRequest:string, OperationNameValue:string)",
    "StorageTableLogs": "(TimeGenerated:datetime, ClientRequestId:string, OperationName:string, StatusCode:string)",
}
"""Columns of Azure Monitor's tables (learn.microsoft.com/azure/azure-monitor/reference/tables/...): all of the one that
alerts and workbook read, some of the others that the pages for operators name."""


@dataclass(frozen=True)
class Judgement:
    """What the service says of a query."""

    diagnostics: tuple[str, ...]
    """Errors, warnings and suggestions; none is well."""
    columns: Mapping[str, str]
    """Name and type of what it answers, in order."""


def missing() -> str:
    """Why the service cannot be asked; empty if it can."""
    if shutil.which("node") is None:
        return "Node.js is not on PATH"
    there = (FOLDER / "node_modules" / "@kusto" / "language-service-next").is_dir()
    return "" if there else "Microsoft's Kusto language service is not installed: make test installs it"


def install() -> None:
    """Install the service, if it is not there."""
    if missing():
        npm_install(f"@kusto/language-service-next@{VERSION}", FOLDER)


def judge(queries: Mapping[str, str]) -> dict[str, Judgement]:
    """Parse and analyse queries against the tables; one process for all, which takes some seconds to start."""
    asked = json.dumps({"folder": str(FOLDER), "tables": TABLES, "queries": queries})
    script = Path(__file__).with_suffix(".cjs")
    answer = subprocess.run(["node", str(script)], input=asked, capture_output=True, text=True, check=False)  # noqa: S603, S607 - fixed
    assert answer.returncode == 0, answer.stderr
    return {
        name: Judgement(tuple(one["diagnostics"]), one["columns"]) for name, one in json.loads(answer.stdout).items()
    }


if __name__ == "__main__":
    install()
