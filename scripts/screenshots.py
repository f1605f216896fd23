# ruff: noqa: INP001 - a script, not a package
"""Takes the pages' pictures of the dashboard: starts the local clouds and the app, makes an estate, breaks one part.

    .venv/bin/python scripts/screenshots.py

Takes four minutes, needs Chromium, writes docs/images/*.png.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "e2e" / "dashboard")]

from browser_parts import FLAGS, HOW, chromium  # noqa: E402 - found only with the path above
from playwright.async_api import Browser, async_playwright  # noqa: E402

from local.cli.client import LocalClient  # noqa: E402
from local.cli.stack import Options, Stack  # noqa: E402
from local.cli.story import create_endpoint  # noqa: E402
from shared.core.model.arm_ids import connection_id  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IMAGES = ROOT / "docs" / "images"
HISTORY_SECONDS = 150
"""Of good checks, before one part breaks."""
MOST_BYTES = 200_000
GOOD = ("eastus2", "uksouth", "northeurope", "japaneast", "francecentral", "canadacentral")
ESTATE = {
    **{f"pe-logs-{region}": (region, f"logs-{region}") for region in GOOD},
    "pe-search-westeurope": ("westeurope", "search-westeurope"),
    "pe-payments": ("australiaeast", "logs-austraileast"),
}
PROJECTS = ("eastus2", "spaincentral")
BROKEN = "pe-logs-eastus2"
UNDECIDED = "pe-old"
"""Its endpoint asked the app to change nothing, and was deleted."""
PICTURES = {
    "dashboard-overview": {"path": "", "viewport": {"width": 1280, "height": 720}},
    "dashboard-connection": {"path": BROKEN, "viewport": {"width": 1120, "height": 1000}},
    "dashboard-dark": {"path": "pe-logs-uksouth", "viewport": {"width": 1120, "height": 1000}, "color_scheme": "dark"},
    "dashboard-decision": {"path": UNDECIDED, "viewport": {"width": 1120, "height": 760}},
    "dashboard-banner": {"path": "", "viewport": {"width": 1120, "height": 420}, "paused": True},
    "dashboard-phone": {
        "path": "",
        "viewport": {"width": 390, "height": 780},
        "color_scheme": "dark",
        "device_scale_factor": 1.5,
    },
}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[LocalClient]:
    """The local clouds and the app, which looks around as often as its own budget of reads lets it."""
    os.environ |= {"HEALTH_SCHEDULE": "*/12 * * * * *", "VERDICT_CHANGES_AFTER": "2"}
    stack = Stack(Options(folder=folder, approval_seconds=2))
    try:
        await stack.start()
        stack.world.arm.settings.private_dns_reads_per_5_minutes = None
        async with LocalClient(stack.endpoints) as client:
            yield client
    finally:
        await stack.stop()


async def phases(client: LocalClient) -> dict[str, str]:
    """Every connection's phase by its name."""
    answer = (await client.app("GET", "/connections")).json()
    return {one["name"]: one["phase"] for one in answer["items"]}


async def until(client: LocalClient, wanted: dict[str, str], seconds: float = 120) -> None:
    """Wait until these connections have these phases."""
    deadline = time.monotonic() + seconds
    while not wanted.items() <= (found := await phases(client)).items():
        if time.monotonic() > deadline:
            raise SystemExit(f"not as wanted within {seconds:.0f} s: {found}")
        await asyncio.sleep(1)


async def make(client: LocalClient) -> dict[str, str]:
    """An estate that works for a while, and then does not in one place; returns its connection ids by name."""
    made = await asyncio.gather(
        *(create_endpoint(client, region, name=name, target=wanted) for name, (region, wanted) in ESTATE.items())
    )
    for region in PROJECTS:
        name, project = f"pe-observability-{region}", f"observability-{region}"
        await create_endpoint(client, region, name=name, target=project, serverless=True)
    ids = dict(zip(ESTATE, map(connection_id, made), strict=True))
    good = {f"pe-logs-{region}": "Ready" for region in GOOD}
    good |= {f"pe-observability-{region}": "Ready" for region in PROJECTS}
    await until(client, good | {"pe-search-westeurope": "Blocked", "pe-payments": "Blocked"})
    old = await create_endpoint(client, "uksouth", name=UNDECIDED, target="logs-uksouth")
    await until(client, {UNDECIDED: "Ready"})
    found = await client.azure("GET", old)
    await client.azure("PUT", old, found | {"tags": found["tags"] | {"elastic-privatelink": "observe"}})
    await asyncio.sleep(HISTORY_SECONDS)
    await client.azure("DELETE", old)
    await until(client, {UNDECIDED: "Blocked"}, seconds=300)
    ids[UNDECIDED] = connection_id(old)
    connection = (await client.app("GET", f"/connections/{ids[BROKEN]}")).json()
    zone, host = connection["zone"]["id"], connection["checks"][0]["host"]
    label = host.removesuffix("." + zone.rpartition("/")[2])
    # A record of its own, from a migration long ago, hides the * record for the deployment's name.
    stale: dict[str, Any] = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.40.8.17"}]}}
    await client.azure("PUT", f"{zone}/A/{label}", stale)
    await until(client, {BROKEN: "Degraded"})
    await asyncio.sleep(40)
    await create_endpoint(client, "centralindia", name="pe-new", target="logs-centralindia")
    return ids


async def take(browser: Browser, client: LocalClient, ids: dict[str, str]) -> None:
    """Every picture."""
    origin, key = client.endpoints["functions"], client.endpoints["function_key"]
    for name, options in PICTURES.items():
        wanted = ids.get(str(options["path"]), "")
        if options.get("paused"):
            await client.app("POST", "/pause", {"minutes": 60, "reason": "Change freeze"})
        context = await browser.new_context(**{k: v for k, v in options.items() if k not in {"path", "paused"}})
        page = await context.new_page()
        await page.goto(f"{origin}/api/dashboard{'/' + wanted if wanted else ''}#code={key}")
        await page.locator(".tile, .hop").first.wait_for()
        await page.wait_for_timeout(700)
        target = IMAGES / f"{name}.png"
        size = len(await page.screenshot(path=target, scale="device"))
        if size > MOST_BYTES:
            raise SystemExit(f"{target} has {size} bytes; at most {MOST_BYTES} are wanted")
        sys.stdout.write(f"{target.relative_to(ROOT)}: {size // 1024} KiB\n")
        await context.close()
        if options.get("paused"):
            await client.app("DELETE", "/pause")


async def main() -> None:
    """Make the estate and take the pictures."""
    path = chromium()
    if path is None:
        raise SystemExit(HOW)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder) / "local") as client, async_playwright() as playwright:
            ids = await make(client)
            browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
            await take(browser, client, ids)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
