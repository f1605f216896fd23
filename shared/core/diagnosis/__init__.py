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
    last_of,
    standing_of,
    summarize,
    weighed,
    worst_of,
)
from shared.core.diagnosis.reading import Subject, diagnose, hosts_to_test, page_of
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
    "hosts_to_test",
    "last_of",
    "page_of",
    "standing_of",
    "summarize",
    "weighed",
    "worst_of",
]
