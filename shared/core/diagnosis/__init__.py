"""What is wrong with a connection, why, and what to do next. Pure: no network, no clock. Called by `shared.health`.

    evidence      the values: what one probe saw, and the verdict
    path          which names are tested, how far a probe came, when a changed verdict counts, one verdict out of all
    http_answers  what came over HTTP, product by product
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
)
from shared.core.diagnosis.http_answers import page_of
from shared.core.diagnosis.path import (
    Subject,
    debounce,
    diagnose,
    history,
    hosts_to_test,
    last_of,
    standing_of,
    summarize,
    weighed,
    worst_of,
)
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
