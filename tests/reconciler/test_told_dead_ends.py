"""Dead ends and silence: what people waited for in vain, or were never told. What each row is: `told_parts`."""

from __future__ import annotations

import pytest

from shared.core.model import conditions as c
from shared.core.model.reasons import Reason
from tests.reconciler import situations_told as s
from tests.reconciler.remedy_cases import CASES
from tests.reconciler.test_restores import change_record, change_rule
from tests.reconciler.told_parts import ADVICE, DNS, Row, holds

OBSERVED = {"elastic-privatelink": "observe"}
ROWS = {
    # The dry run, in observe for ever: the plan goes to the end.
    "observed: no policy, so no approval": Row(
        s.wishing(**OBSERVED), c.APPROVED, "AwaitingApproval", "no policy names the endpoint yet", phase="Provisioning"
    ),
    "observed: a deployment that would be cut off": Row(
        s.wishing("search-eastus2", **OBSERVED),
        c.ASSOCIATED,
        "WouldCutOffPublicTraffic",
        "Deployment search-eastus2",
        "elastic-privatelink-first-policy=allow",
    ),
    "observed: a deployment that is not there": Row(
        s.wishing("logs-nowhere", **OBSERVED),
        c.ASSOCIATED,
        "DeploymentNotFound",
        "logs-nowhere",
        "Correct the endpoint's tag",
    ),
    # Questions to a person, each with its decision.
    "deleted while it was observed": Row(
        CASES[Reason.REMOVAL_UNDECIDED].make,
        c.REMOVED,
        "RemovalUndecided",
        "Not done, because the endpoint's tag elastic-privatelink asks for it: disassociate policy",
        '/decisions {"decision": "remove", "endpoint": "pe-1"}',
    ),
    "a target that is gone, and listed still": Row(
        CASES[Reason.DEPLOYMENT_GONE].make,
        c.ASSOCIATED,
        "DeploymentGone",
        "the association stays until a person decides",
        'Send POST /api/connections/51fe83ce41a1652a/decisions {"decision": "forget-target"',
        goes_on=(*DNS, c.POLICY_READY, c.APPROVED),
    ),
    "another organization asks for it": Row(
        CASES[Reason.ORGANIZATION_CHANGED].make,
        ADVICE,
        "OrganizationChanged",
        "default serves it until a person decides that it moves",
        '/decisions {"decision": "move-organization", "organization": "second"}',
        phase="Ready",
        second_scope="tag:org=second",
    ),
    "too many are gone at once": Row(
        CASES[Reason.REMOVAL_LIMIT_REACHED].make,
        c.REMOVED,
        "RemovalLimitReached",
        "2 connections stand for removal at once",
        'POST /api/decisions {"decision": "confirm-removals"',
        settings={"REMOVAL_LIMIT": "1"},
        enqueued=6,
    ),
    "the tables were lost": Row(
        CASES[Reason.RECOVERED_UNCONFIRMED].make,
        c.REMOVED,
        "RecoveredUnconfirmed",
        "no row of the app's does",
        'POST /api/decisions {"decision": "confirm-recovered"',
    ),
    # Fights: counted, and ended.
    **{
        f"{thing} is changed four times": Row(
            s.after(change, times=4),
            condition,
            "RestoreContested",
            "The app restored it 3 of 3 times",
            "re-run the connection by POST /api/connections/51fe83ce41a1652a/reconcile",
        )
        for thing, change, condition in (
            ("the record", change_record, c.RECORD_READY),
            ("the policy's rule", change_rule, c.POLICY_READY),
        )
    },
    "the policy's name is changed four times": Row(  # of which nothing depends: it keeps the name that others want
        s.after(s.policy_is_renamed, times=4),
        ADVICE,
        "RestoredAgain",
        "restored it 3 of 3 times",
        "Find who did",
        phase="Ready",
    ),
    "the record is deleted at once": Row(
        s.deleted_just_now,
        c.RECORD_READY,
        "RestoreDelayed",
        "It makes it again at",
        "Find who deletes it",
        phase="Degraded",
        looks=200,
    ),
    # Silence.
    "the key ends on a connection that works": Row(
        s.key_ended_later,
        c.POLICY_READY,
        "ElasticKeyRefused",
        "Elastic Cloud refused the API key when asked to list policies",
        "Create a new Elastic Cloud API key",
        goes_on=DNS,
        others=DNS,
    ),
    "others' things keep the zone": Row(
        s.kept_by_others,
        c.REMOVED,
        "LeftBehind",
        "it has 1 other record set",
        "Delete by hand what is not needed",
        phase="Removed",
    ),
    "a lock keeps the zone": Row(
        s.locked_when_it_goes,
        c.REMOVED,
        "LeftBehind",
        "A lock at",
        "Delete by hand what is not needed",
        phase="Removed",
    ),
    "the network gets name servers of its own": Row(
        s.own_name_servers, ADVICE, "CustomDnsServers", "10.99.0.53", "168.63.129.16", phase="Ready"
    ),
    "a claim that is neither true nor false": Row(
        s.wishing(**{"elastic-privatelink-claim": "yes"}),
        c.RECOGNISED,
        "ElasticService",
        "has the value 'yes', which is neither true nor false",
        phase="Ready",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_each_dead_end_is_told_has_a_way_out_and_holds_up_nothing_else(row: Row) -> None:
    await holds(row)
