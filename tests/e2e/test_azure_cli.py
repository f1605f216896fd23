"""The genuine Azure CLI, pointed at the local clouds as docs/local.md says: the same lines, and the app reacts."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_instance import ready

from local.cli.client import LocalClient

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e-outside"),
    pytest.mark.skipif(shutil.which("az") is None, reason="Azure's CLI is not installed"),
]
DOCUMENT = Path(__file__).parents[2] / "docs" / "local.md"


async def test_the_documented_lines_connect_an_endpoint_and_tag_it(client: LocalClient, tmp_path: Path) -> None:
    define, *_, use = [b for b in re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL) if "$(e " in b]
    (tmp_path / ".local").symlink_to(client.endpoints["folder"])
    (tmp_path / ".venv").symlink_to(sys.prefix)
    function = define.splitlines()[0]
    program = await asyncio.create_subprocess_exec(
        "bash", "-ec", f"{function}\n{use}", cwd=tmp_path, env=os.environ | {"AZURE_CORE_COLLECT_TELEMETRY": "no"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(program.communicate(), 300)
    assert program.returncode == 0, errors.decode()[-2000:]
    assert '"elastic-privatelink-instance": "local"' in output.decode()
    endpoint = f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/rg-cli/providers"
    endpoint += "/Microsoft.Network/privateEndpoints/pe-cli"
    assert (await ready(client, endpoint))["phase"] == "Ready"
    tags = (await client.azure("GET", endpoint))["tags"]
    assert tags == {"elastic-deployments": "logs-southafricanorth", "team": "search"}
