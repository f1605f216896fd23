"""What is wrong with a connection, why, and what to do next. Pure: no network, no clock. Called by `shared.checks`.

evidence    the values: what one probe saw, and the verdict
path        how far a probe came: name, address, connection, TLS
answers     what came over HTTP, product by product
hosts       which names of a connection are tested
overall     one verdict out of those of all names
"""

from __future__ import annotations

from shared.core.diagnosis.answers import page_of
from shared.core.diagnosis.evidence import (
    Evidence,
    Failure,
    Stage,
    StageResult,
    Status,
    Verdict,
    address_failure,
)
from shared.core.diagnosis.hosts import Tested, hosts_to_test
from shared.core.diagnosis.overall import HostVerdict, told, worst_of
from shared.core.diagnosis.path import diagnose

__all__ = [
    "Evidence",
    "Failure",
    "HostVerdict",
    "Stage",
    "StageResult",
    "Status",
    "Tested",
    "Verdict",
    "address_failure",
    "diagnose",
    "hosts_to_test",
    "page_of",
    "told",
    "worst_of",
]
