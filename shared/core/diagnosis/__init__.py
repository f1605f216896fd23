"""What is wrong with a connection, why, and what to do next. Pure: no network, no clock. Called by `shared.health`.

    evidence      the values: what one probe saw, the verdict, when a changed one counts, one out of all
    reading       which names are tested, how far a probe came, what came over HTTP, product by product
    wordings      what each finding is called
    surroundings  what else is known when a probe is read
    whole         the diagnosis of a connection out of all that is on record

The words for people, one entry for every reason that can come of it, are in `shared.core.reasons`.
"""

from __future__ import annotations

from shared.core.diagnosis.evidence import (
    Evidence,
    Failure,
    Stage,
    StageResult,
    Status,
    Verdict,
    address_failure,
    debounce,
    history,
    host_check,
    last_of,
    reachable,
    standing_of,
    summarize,
    summary_of,
    total_ms,
    weighed,
    worst_of,
)
from shared.core.diagnosis.reading import Subject, diagnose, hosts_to_test, in_turn, page_of
from shared.core.diagnosis.surroundings import Surroundings
from shared.core.diagnosis.whole import Diagnosis, diagnosis_of

__all__ = [
    "Diagnosis",
    "Evidence",
    "Failure",
    "Stage",
    "StageResult",
    "Status",
    "Subject",
    "Surroundings",
    "Verdict",
    "address_failure",
    "debounce",
    "diagnose",
    "diagnosis_of",
    "history",
    "host_check",
    "hosts_to_test",
    "in_turn",
    "last_of",
    "page_of",
    "reachable",
    "standing_of",
    "summarize",
    "summary_of",
    "total_ms",
    "weighed",
    "worst_of",
]
