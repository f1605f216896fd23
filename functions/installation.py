"""HTTP triggers about the whole installation: the doctor, the replay of poisoned messages, the API's description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import azure.functions as func

from functions.responses import asked, correlation, number, ok, text, wants_text
from functions.routing import GET, POST, declared, route
from shared.app import clock_alone, start, started, storage_alone
from shared.core.model.errors import AutopilotError, InvalidSettings

if TYPE_CHECKING:
    from shared.core.reports.doctor.findings import Report

blueprint = func.Blueprint()


@route(blueprint, GET, "doctor", "What is wrong with the installation itself.", answers="Doctor", takes=("format",))
async def doctor(req: func.HttpRequest) -> func.HttpResponse:
    """What is wrong with the installation itself, as JSON or as text; 200 with any finding."""
    from shared.core.reports.doctor.text import as_text

    as_it_reads = wants_text(req)
    report = await _report()
    return text(as_text(report)) if as_it_reads else ok(report.document() | {"correlationId": correlation.get()})


@route(blueprint, GET, "openapi.json", "This document.", answers="application/json", keyed=False)
async def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """The OpenAPI document of all routes: the same for every caller, public with the source, and without data."""
    del req
    from functions.openapi.document import document

    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(
        json.dumps(document(declared())), headers=headers, mimetype="application/json", charset="utf-8"
    )


@route(
    blueprint, POST, "poison/replay", "Handle again what failed eight times.", answers="Replayed", takes=("messages",)
)
async def replay_poison(req: func.HttpRequest) -> func.HttpResponse:
    """Put what the platform gave up on back on the work queue: `limit` messages at most, 100 unless given."""
    from shared.api import poison

    limit = number(req, "limit", default=100, low=1, high=500)
    return ok(await poison.replay(await started(), limit, asked()))


async def _report() -> Report:
    from shared.api.doctor import examine, examine_without_settings

    try:
        context = await started()
    except InvalidSettings as error:
        return await examine_without_settings(error, storage_alone(), clock_alone())
    except AutopilotError:  # what was found out is not to be had: what is wrong with storage is among the findings
        context = start()
    return await examine(context)
