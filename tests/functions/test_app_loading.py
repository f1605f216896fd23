"""Loading the app, each time in a fresh process: cheap, without settings, and always with all of its functions."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from shared.settings import descriptions
from tests.functions.trigger_parts import ENVIRONMENT, ROOT, routes

pytestmark = pytest.mark.real_time

ROUTES = routes()
FUNCTIONS = {
    "endpoint_events": "eventGridTrigger",
    "reconcile": "queueTrigger",
    "check_health": "timerTrigger",
    **{route.function: "httpTrigger" for route in ROUTES},
}
LIGHT = ("azure.functions",)
"""What may be loaded of the namespace `azure`."""
HEAVY = ("httpx", "aiohttp", "cattrs", "dns", "h11", "jsonschema")
LATER = (
    "shared.composition",
    "shared.context",
    "shared.dispatch",
    "shared.api",
    "shared.sweep",
    "shared.reconciler",
    "shared.health",
    "shared.clouds",
    "shared.probe",
    "shared.core.planning",
    "shared.core.guards",
    "shared.core.model.record",
    "functions.openapi",
)
"""What the first call loads. Measured: with it, loading the app takes twice as long, and the host loads the app to find
its functions also where nothing calls them."""
LOAD = """
import json, sys
import function_app
triggers = {one.get_function_name(): one.get_trigger().get_dict_repr() for one in function_app.app.get_functions()}
for trigger in triggers.values():
    for name in ("authLevel", "methods"):
        if name in trigger:
            trigger[name] = json.loads(json.dumps(trigger[name], default=lambda value: value.value))
print(json.dumps({"triggers": triggers, "modules": sorted(sys.modules)}, default=str))
"""


TALK = """
import asyncio, logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s")
import function_app
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import HttpLoggingPolicy
from azure.core.rest import HttpRequest
from local.arm.transport import AsgiArmTransport
import httpx
from starlette.responses import Response

async def talk():
    asgi = Response(status_code=200)
    async with AsyncPipeline(AsgiArmTransport(asgi), [HttpLoggingPolicy()]) as pipeline:
        await pipeline.run(HttpRequest("GET", "https://arm.local/x"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi)) as client:
        await client.get("https://elastic.local/x")
    logging.getLogger("privatelink").info("ours")

asyncio.run(talk())
"""


def load(**environ: str) -> tuple[dict[str, Any], str]:
    """What a fresh process finds, and what it says on its standard error."""
    said, complaints = run(LOAD, **environ)
    found: dict[str, Any] = json.loads(said)
    return found, complaints


def run(code: str, **environ: str) -> tuple[str, str]:
    """What a fresh process says on its standard output and standard error."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT"}}
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout, done.stderr


def overlap(one: str, other: str) -> bool:
    """Whether some path belongs to both route templates."""
    parts, others = one.lower().split("/"), other.lower().split("/")
    pairs = zip(parts, others, strict=False)
    return len(parts) == len(others) and all(a == b or "{" in a or "{" in b for a, b in pairs)


def loaded(found: dict[str, Any], names: Sequence[str]) -> list[str]:
    """The modules of these names, and those below them, that a fresh process has loaded."""
    return [one for one in found["modules"] if any(one == name or one.startswith(f"{name}.") for name in names)]


def kinds(found: dict[str, Any]) -> dict[str, str]:
    return {name: trigger["type"] for name, trigger in found["triggers"].items()}


def test_without_any_setting_the_app_loads_with_exactly_its_functions_and_says_what_is_missing() -> None:
    found, said = load()
    assert kinds(found) == FUNCTIONS
    for name in ("AZURE_SUBSCRIPTIONS", "EC_API_KEY", "AzureWebJobsStorage"):
        assert name in said


STORAGE = ("tableServiceUri", "queueServiceUri", "blobServiceUri", "accountName", "credential", "clientId")
PLATFORM = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "WEBSITE_HOSTNAME")
OF_NAMES = ("EC_API_KEY_SECOND", "ELASTIC_SCOPE_SECOND", "AUTOPILOT_KEY_", "AUTOPILOT_KEY_OPERATOR")
"""Settings whose names hold another one's value, or a person's."""


@pytest.mark.parametrize("text", ["https://[x", "\udcff", ";=;"])
def test_with_every_setting_wrong_the_app_loads_with_all_of_its_functions_and_lists_them(text: str) -> None:
    """The hosts' too: Azure shows an app without functions, and no word why, when one of them raises."""
    of_host = dict.fromkeys((*PLATFORM, *(f"AzureWebJobsStorage__{name}" for name in STORAGE)), text)
    wrong = dict.fromkeys((*(one.name for one in descriptions()), *OF_NAMES), text)
    found, said = load(**of_host, **wrong)
    assert kinds(found) == FUNCTIONS
    for name in ("AZURE_SUBSCRIPTIONS", "LAG_SECONDS", "REMOVAL_LIMIT", "DNS_LINK_VNETS", "ELASTIC_ORGANIZATIONS"):
        assert f"{name}: expected" in said


def test_with_a_wrong_address_of_storage_alone_it_loads_and_names_the_setting() -> None:
    storage = {"AzureWebJobsStorage": "", "AzureWebJobsStorage__tableServiceUri": "https://[x"}
    found, said = load(**ENVIRONMENT | storage)
    assert kinds(found) == FUNCTIONS
    assert "AzureWebJobsStorage__tableServiceUri" in said


def test_with_its_settings_the_app_loads_and_says_nothing() -> None:
    found, said = load(**ENVIRONMENT)
    assert (kinds(found), said) == (FUNCTIONS, "")


def test_loading_pulls_in_no_cloud_sdk_and_no_http_client() -> None:
    found, _ = load(**ENVIRONMENT)
    assert loaded(found, HEAVY) == []
    assert sorted(set(loaded(found, ("azure",))) - {"azure", *loaded(found, LIGHT)}) == []


def test_loading_leaves_all_that_works_for_the_first_call() -> None:
    found, _ = load(**ENVIRONMENT)
    assert loaded(found, LATER) == []
    assert [name for name in LATER if importlib.util.find_spec(name) is None] == [], "no longer the name of a module"


def test_the_log_is_ours_and_no_library_writes_a_line_for_each_request() -> None:
    """At the level that the worker sets for all loggers. Measured: a hundred lines for one endpoint, ours are 30."""
    said, _ = run(TALK, **ENVIRONMENT)
    assert said.split() == ["privatelink"]


def test_every_http_function_has_its_route_and_needs_a_key_but_for_what_is_public_with_the_source() -> None:
    found, _ = load(**ENVIRONMENT)
    triggers = [trigger for trigger in found["triggers"].values() if trigger["type"] == "httpTrigger"]
    routes = {(*(str(m) for m in trigger["methods"]), trigger["route"]) for trigger in triggers}
    assert routes == {(str(route.method), route.path) for route in ROUTES}
    free = {trigger["route"] for trigger in triggers if str(trigger["authLevel"]).upper() != "FUNCTION"}
    assert free == {"openapi.json", "dashboard", "dashboard/{id}", "dashboard/files/{build}/{name}"}


@pytest.mark.parametrize(
    ("schedule", "used"),
    [
        ("0 */10 * * * *", "0 */10 * * * *"),
        ("", "0 */5 * * * *"),
        ("   ", "0 */5 * * * *"),
        ("*/5 * * * *", "0 */5 * * * *"),
        ("whenever", "0 */5 * * * *"),
    ],
)
def test_a_wrong_schedule_is_replaced_and_the_app_still_loads(schedule: str, used: str) -> None:
    found, said = load(**ENVIRONMENT, HEALTH_SCHEDULE=schedule)
    assert (kinds(found), found["triggers"]["check_health"]["schedule"]) == (FUNCTIONS, used)
    assert ("HEALTH_SCHEDULE" in said) == bool(schedule.strip() and schedule != used)


def test_the_work_queue_is_the_same_for_all_who_use_it() -> None:
    found, _ = load(**ENVIRONMENT)
    trigger = found["triggers"]["reconcile"]
    assert (trigger["queueName"], trigger["connection"]) == ("reconcile", "AzureWebJobsStorage")
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["queues"]["messageEncoding"] == "base64"


def test_no_path_belongs_to_two_routes_because_the_functions_host_would_choose_by_the_functions_names() -> None:
    clashes = [
        (one.function, other.function)
        for one, other in itertools.combinations(ROUTES, 2)
        if one.method == other.method and overlap(one.path, other.path)
    ]
    assert clashes == []
    assert [one.path for one in ROUTES if "{*" in one.path] == [], "it would hide what comes after it"
