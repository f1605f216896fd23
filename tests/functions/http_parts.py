"""What the tests of the HTTP API share: a connection that is known, and which routes take what."""

from __future__ import annotations

from shared.core.model import conditions as c
from shared.core.model.conditions import Phase
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ElasticState, TargetMemory
from shared.core.model.record_parts import Identity, RecordStatus
from shared.core.model.services import PrivateUrl
from tests.functions.trigger_parts import ENDPOINT_ID, START

HOST = "orders.es.privatelink.eastus2.azure.elastic-cloud.com"
KNOWN = ConnectionRecord(
    ENDPOINT_ID,
    identity=Identity(name="pe-search", region="eastus2"),
    status=RecordStatus(
        phase=Phase.BLOCKED,
        conditions=(
            c.blocked(c.LINKED, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, "Served elsewhere.", "Remove the other link."),
            c.blocked(
                c.READY, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, "Linked: served elsewhere.", "Remove the other link."
            ),
        ),
        first_seen=START,
    ),
    elastic=ElasticState(targets=(TargetMemory("d1", "orders", (PrivateUrl("elasticsearch", HOST, 9243),)),)),
)
UNKNOWN = "0123456789abcdef"
BY_PERSON = [("reconcile_connection", "reconcile", "manual"), ("check_connection", "check", "check")]
WITH_BODY = ["reconcile_endpoint", "reconcile_connection", "check_connection"]
PAGED = ["get_journal", "get_checks"]
