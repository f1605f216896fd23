"""What the HTTP API answers and is sent, as JSON schemas by name. Used by `document`; pure.

Values of the product are described by their own types. Every body of an answer is an object; `document` adds `app`.
"""

from __future__ import annotations

from typing import Any

from functions.errors import BLOCKED_STATUS, REFUSED_STATUS, ErrorCode
from functions.openapi.from_types import Schema, named, open_words, parts, schema_of, word
from shared.api import views
from shared.api.damaged_rows import TABLES
from shared.api.decisions import DECISIONS
from shared.api.events import EventView
from shared.api.listing import FILTERS
from shared.core.guards.pause import LONGEST, MAX_REASON
from shared.core.model.conditions import Phase
from shared.core.model.decisions import ConnectionDecision
from shared.core.model.operations import OperationKind
from shared.core.model.services import Family
from shared.core.model.steps import Action
from shared.core.options.installation import Mode
from shared.core.reports.doctor.findings import Level
from shared.state.rows import CheckEntry, JournalEntry

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MODE: Schema = named("Mode", {"type": "string", "enum": [str(mode) for mode in Mode]})
FAMILY: Schema = named("Family", {"type": "string", "enum": [str(one) for one in Family]})
CONNECTION_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$", "examples": ["51fe83ce41a1652a"]}
OPERATION_ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z-]{8,64}$"}
PAGE_KEY: Schema = {"type": "string", "pattern": "^[0-9]{16}-[0-9a-f]{6}-[0-9a-f]{6}$"}
_EXAMPLE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-apps"
    "/providers/Microsoft.Network/privateEndpoints/pe-orders"
)
ENDPOINT_ID: Schema = {"type": "string", "description": "ARM id of a private endpoint.", "examples": [_EXAMPLE]}


def thing(*optional: str, **properties: Schema) -> Schema:
    """An object with these properties; all are there but the optional ones."""
    return {"type": "object", "properties": properties, "required": sorted(set(properties) - set(optional))}


def many(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def maybe(schema: Schema) -> Schema:
    """It, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


_SUMMARY = named("ConnectionSummary", schema_of(
    views.ConnectionRowView, id=CONNECTION_ID, endpoint_id=ENDPOINT_ID, mode=MODE, since=maybe(MOMENT),
    tested_at=maybe(MOMENT), latency_ms=maybe(WHOLE),
))  # fmt: skip
URL = {"type": "string", "format": "uri-reference"}
_PAUSE = named("PresentPause", thing(since=MOMENT, until=MOMENT, reason=TEXT))
_LEVEL = named("Level", {"type": "string", "enum": [str(level) for level in Level]})
_FINDING = named("Finding", thing(
    check=TEXT, level=_LEVEL, what=TEXT, on=TEXT, nextStep=TEXT,
    details={"type": "object", "additionalProperties": True},
))  # fmt: skip
_COUNTED: Schema = {"type": "object", "additionalProperties": WHOLE}
_ACTION = named("Action", {"type": "string", "enum": [str(action) for action in Action]})
_COUNTS = named("Counts", thing(**{str(action): WHOLE for action in Action}, blocked=WHOLE))
_STEP = named("Step", thing(action=_ACTION, condition=TEXT, what=TEXT, why=TEXT))
_LATER = named("LaterStep", thing(action=_ACTION, condition=TEXT, what=TEXT, after=TEXT))
_PLAN = thing(
    connection=CONNECTION_ID, name=TEXT, endpoint=ENDPOINT_ID, mode=MODE, steps=many(_STEP), later=many(_LATER),
    waiting=many(named("Waiting", thing(condition=TEXT, reason=word("Reason"), message=TEXT))),
    blocked=many(named("Blocking", thing(condition=TEXT, reason=word("Reason"), message=TEXT, nextStep=TEXT))),
    left=many(TEXT), note=TEXT,
    summary=_COUNTS,
)  # fmt: skip
_OF_OPERATION = named("OperationOnConnection", thing(
    id=CONNECTION_ID, name=TEXT, ended={"type": "boolean"}, phase=maybe(word("Phase")),
    reason=maybe(word("Reason")), message=TEXT,
    nextStep=TEXT, changed=many(TEXT) | {"description": "The steps that were done, oldest first; empty: nothing."},
))  # fmt: skip
_KIND = named("OperationKind", {"type": "string", "enum": [str(kind) for kind in OperationKind]})
_OPERATION_STATUS = named("OperationStatus", {"type": "string", "enum": ["Running", "Succeeded", "Failed"]})
_OPERATION = thing(
    id=OPERATION_ID, kind=_KIND, by=TEXT, askedAt=MOMENT,
    status=_OPERATION_STATUS, ended=WHOLE, of=WHOLE, outcome=TEXT,
    connections=many(_OF_OPERATION),
)  # fmt: skip
_ACCEPTED: dict[str, Schema] = {
    "operation": OPERATION_ID,
    "connections": many(CONNECTION_ID),
    "statusUrl": URL,
    "correlationId": TEXT,
}
_MADE = named("StandsForRemoval", thing(id=CONNECTION_ID, name=TEXT, endpoint=ENDPOINT_ID, made=many(TEXT)))
_STOP = named("Stop", thing(id=TEXT, at=MOMENT, count=WHOLE, connections=many(_MADE)))
_REMOVALS = thing(
    limit=WHOLE,
    standing=WHOLE,
    tornDown=WHOLE,
    stopped=maybe(_STOP),
    confirmed=maybe(named("Confirmed", thing(connections=WHOLE, until=MOMENT))),
)


_ROW = named("Row", thing(table=TEXT, row=TEXT))
_RECOVERED = thing(
    list=maybe(TEXT) | {"description": "Its id; null: there is nothing on it."},
    count=WHOLE,
    entries=many(named("RecoveredThing", thing(**{"id": TEXT, "in": TEXT, "connections": many(CONNECTION_ID)}))),
)


def _page(entry: Any) -> Schema:
    following = maybe(PAGE_KEY) | {"description": "Where the next older page begins; null where there is none."}
    return thing(connection=CONNECTION_ID, items=many(named(entry.__name__, schema_of(entry))), next=following)


def _decision(decision: str, does: str = "", **about: str | tuple[str, ...]) -> Schema:
    """A body with a decision, named after it.

    `about`: the fields that say what it is about, and what each holds, or its words.
    """
    fields: dict[str, Schema] = {
        name: {"type": "string", "enum": list(what)}
        if isinstance(what, tuple)
        else {"type": "string", "minLength": 1, "description": what}
        for name, what in about.items()
    }
    body = thing(decision={"type": "string", "const": decision}, **fields) | ({"description": does} if does else {})
    return named("".join(map(str.capitalize, decision.split("-"))), body)


_PROBLEMS: Schema = {
    "type": "array",
    "items": named("AppProblem", thing(code=TEXT, message=TEXT, nextStep=TEXT)),
    "description": "What is wrong with the app itself; docs/api.md has the codes, of which there may be more.",
}
APP: Schema = {
    **thing(
        version=TEXT,
        mode=maybe(MODE),
        paused=maybe(_PAUSE) | {"description": "Null where there is none; a header tells one that could not be read."},
        problems=maybe(_PROBLEMS),
    ),
    "description": "How the app stands; null where it could not be read.",
}
_CODE: Schema = named(
    "ErrorCode",
    {
        "anyOf": [
            {"type": "string", "enum": [str(code) for code in ErrorCode]},
            {
                "type": "string",
                "description": f"With {int(BLOCKED_STATUS)} and {int(REFUSED_STATUS)}: the reason of a condition, see "
                "docs/troubleshooting.md.",
            },
        ]
    },
)
ERROR: Schema = named("ErrorBody", thing(code=_CODE, message=TEXT, target=TEXT, nextStep=TEXT, correlationId=TEXT))


def answers() -> dict[str, Schema]:
    """What is answered, without `app`."""
    return {
        "Connections": thing(
            items=many(_SUMMARY),
            next=maybe(TEXT) | {"description": "Where the next page begins; null where there is none."},
            matching=WHOLE | {"description": "How many the filter lets through."},
            repairedToday=WHOLE | {"description": "What others changed and the app has put right today, of all."},
            regions=_COUNTED | {"description": "How many connections there are to each region, shown here or not."},
            subscriptions=_COUNTED | {"description": "How many connections each subscription has."},
            phases=thing(**{str(one): WHOLE for one in Phase})
            | {"description": "How many connections are in each phase, shown here or not."},
            families=thing(**{str(one): WHOLE for one in Family})
            | {"description": "How many connections there are of each family, shown here or not."},
        ),
        "Connection": schema_of(views.ConnectionView, id=CONNECTION_ID, mode=MODE),
        "Journal": _page(JournalEntry),
        "Checks": _page(CheckEntry),
        "Events": thing(
            items=many(named("Event", schema_of(EventView, connection=CONNECTION_ID))),
            since=MOMENT | {"description": "How far back was looked."},
            next=maybe(PAGE_KEY) | {"description": "Where the next older page begins; null where there is none."},
        ),
        "Accepted": thing(**_ACCEPTED),
        "DecisionAccepted": thing(**_ACCEPTED, does=TEXT),
        "Operation": _OPERATION,
        "Plans": thing(
            items=many(named("ConnectionPlan", _PLAN)), next=maybe(TEXT),
            of=WHOLE | {"description": "How many there are on all pages."},
            summary=_COUNTS | {"description": "Of this page."}, errors=many(TEXT),
        ),
        "Plan": _PLAN,
        "Removals": _REMOVALS,
        "Recovered": _RECOVERED,
        "Decided": thing(
            decision=named("DecisionName", {"type": "string", "enum": list(DECISIONS)}),
            removals=maybe(named("RemovalsNow", _REMOVALS)),
            taken=maybe(_ROW), recovered=maybe(named("RecoveredNow", _RECOVERED)),
        ),
        "Paused": thing(paused=maybe(_PAUSE)),
        "Doctor": thing(
            status=_LEVEL, instance=TEXT, version=TEXT,
            at=MOMENT, tookMs=WHOLE, findings=many(_FINDING), correlationId=TEXT,
        ),
        "Replayed": thing(replayed=WHOLE, left=WHOLE, correlationId=TEXT),
    }  # fmt: skip


def shared() -> dict[str, Schema]:
    """What answers and bodies consist of, by name; asked for after them, which name some."""
    return {"App": APP, **open_words(), **parts()}


def requests() -> dict[str, Schema]:
    """What is sent."""
    minutes = {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST.total_seconds() / 60}
    reason = {"type": "string", "maxLength": MAX_REASON}
    return {
        "Endpoint": {
            "type": "object",
            "oneOf": [
                named("ByEndpoint", thing(endpoint=ENDPOINT_ID)),
                named("ByFilter", thing(filter=word("Filter"))),
            ],
        },
        "Filter": thing(*FILTERS, **dict.fromkeys(FILTERS, TEXT)) | {"additionalProperties": False},
        "Decision": {
            "type": "object",
            "oneOf": [
                _decision("confirm-removals", stop="Its id, from GET /api/removals."),
                _decision("confirm-recovered", list="Its id, from GET /api/recovered."),
                _decision("take-over-row", row="Its name, from GET /api/doctor.", table=TABLES),
            ],
        },
        "ConnectionDecision": {
            "type": "object",
            "oneOf": [_decision(one, one.does, **{one.field: one.about}) for one in ConnectionDecision],
        },
        "Nothing": {"type": "object", "description": "Nothing of it is read."},
        "Pause": {
            **thing("minutes", "until", "reason", minutes=minutes, until=MOMENT, reason=reason),
            "additionalProperties": False,
            "not": {"required": ["minutes", "until"]},
            "description": "How long, or until when; an hour unless it says.",
        },
    }
