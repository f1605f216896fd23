"""Every reason has a remedy that works: provoked in the local clouds, run as it stands, and followed to its end.

A reason that asks a person for something has a case here, a page of Azure's, or a stated exception; else a test fails.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from local.world import vnet_id
from shared.core.model.reasons import Reason
from shared.core.reasons import catalogue
from tests.harness.estate import Estate
from tests.reconciler import situations_azure, situations_elastic
from tests.reconciler.remedy_parts import LOCKS_API, run
from tests.reconciler.situations import SITUATIONS, made, ready, swept, the
from tests.reconciler.test_restores import change_record

assert situations_azure is not situations_elastic, "both fill the table"
Fill = Callable[[Estate, str], Awaitable[dict[str, str]]]
WISH = {"elastic-deployments": "logs-eastus2"}


async def nothing(_estate: Estate, _endpoint: str) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Case:
    """A situation that has the reason, what its placeholders stand for, and what is promised."""

    make: Callable[[Estate], Awaitable[str]]
    fill: Fill = nothing
    phase: str = "Ready"
    advice: bool = False
    settings: dict[str, str] = field(default_factory=dict)


def situation(name: str) -> Callable[[Estate], Awaitable[str]]:
    return SITUATIONS[name].make


async def policy_by_hand(estate: Estate, endpoint: str) -> dict[str, str]:
    theirs = [policy for policy in estate.elastic.rulesets() if policy.name == "by hand"]
    return {"policy id": theirs[-1].id}


async def target(estate: Estate, endpoint: str) -> dict[str, str]:
    name = (
        "search-eastus2" if estate.elastic_settings is not None and "search" in (await _asked(estate, endpoint)) else ""
    )
    return {"deployment id": the(estate, name or "logs-eastus2").id}


async def _asked(estate: Estate, endpoint: str) -> str:
    found = estate.arm.private_endpoint(endpoint)
    return found.tags.get("elastic-deployments", "") if found is not None else ""


async def logs(estate: Estate, _endpoint: str) -> dict[str, str]:
    return {"deployment id": the(estate).id}


async def _rejected(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm.set_connection(endpoint, "Rejected", "not one of ours")
    await swept(estate, 1)
    return endpoint


async def search(estate: Estate, _endpoint: str) -> dict[str, str]:
    return {"deployment id": the(estate, "search-eastus2").id}


async def _renamed_wish(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": "no-such"})


async def _elsewhere(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": "logs-westeurope"})


async def _two_of_a_name(estate: Estate) -> str:
    estate.elastic.add_deployment("logs-eastus2", "eastus2")
    return await made(estate)


async def _opted_out(estate: Estate) -> str:
    the(estate).tags = {"elastic-privatelink": "ignore"}
    return await made(estate)


async def _observed(estate: Estate) -> str:
    return await made(estate, tags=WISH | {"elastic-privatelink": "observe"})


async def _ignored(estate: Estate) -> str:
    return await made(estate, tags=WISH | {"elastic-privatelink": "ignore"})


async def _undecided(estate: Estate) -> str:
    endpoint = await ready(estate, tags=WISH | {"elastic-privatelink": "enforce"})
    await estate.put_endpoint(tags=WISH | {"elastic-privatelink": "observe"})
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle(3600)
    await swept(estate)
    return endpoint


async def _fought(estate: Estate) -> str:
    endpoint = await ready(estate)
    for _ in range(4):
        await change_record(estate, endpoint)
        await swept(estate, 1)
    return endpoint


async def _last_policy(estate: Estate) -> str:
    endpoint = await made(estate, tags={"elastic-deployments": "search-eastus2"})
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    await estate.put_endpoint(tags={})
    await estate.settle()
    return endpoint


async def _locked(estate: Estate) -> str:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(30)
    await estate.azure("PUT", LOCK, {"properties": {"level": "ReadOnly"}}, api=LOCKS_API)
    await estate.send(endpoint)
    await estate.settle()
    return endpoint


GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-apps"
LOCK = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"


async def lock(_estate: Estate, _endpoint: str) -> dict[str, str]:
    return {"lock id": LOCK}


CASES: dict[Reason, Case] = {
    Reason.OBSERVE_MODE: Case(_observed),
    Reason.IGNORED_BY_TAG: Case(_ignored),
    Reason.REJECTED: Case(_rejected),
    Reason.DISCONNECTED: Case(situation("disconnected")),
    Reason.RECORD_HELD_BY_OTHERS: Case(situation("the record is another owner's")),
    Reason.POLICY_NAME_MISMATCH: Case(situation("another name in the policy"), policy_by_hand),
    Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC: Case(situation("the first policy of an open deployment"), search),
    Reason.WOULD_REOPEN_PUBLIC_ACCESS: Case(_last_policy, search, settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*"}),
    Reason.DEPLOYMENT_NOT_ALLOWED: Case(made, logs, settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}),
    Reason.DEPLOYMENT_NOT_FOUND: Case(_renamed_wish, logs),
    Reason.DEPLOYMENT_IN_ANOTHER_REGION: Case(_elsewhere, logs),
    Reason.DEPLOYMENT_AMBIGUOUS: Case(_two_of_a_name, logs),
    Reason.DEPLOYMENT_OPTED_OUT: Case(_opted_out, logs),
    Reason.DEPLOYMENT_NOT_RUNNING: Case(situation("the deployment is stopped"), logs),
    Reason.REMOVAL_UNDECIDED: Case(_undecided, phase="Removed"),
    Reason.RESTORE_CONTESTED: Case(_fought),
    Reason.SCOPE_LOCKED: Case(_locked, lock),
}


@pytest.mark.parametrize("reason", CASES)
async def test_the_remedy_of_a_reason_works_as_it_stands(reason: Reason) -> None:
    case = CASES[reason]
    estate = await Estate(settings=dict(case.settings)).open()
    endpoint = await case.make(estate)
    record = await estate.connection(endpoint)
    assert reason in {one.reason for one in (*record.status.conditions, *record.advice)}
    filled = await case.fill(estate, endpoint) | {
        "endpoint id": endpoint,
        "endpoint": "pe-1",
        "connection": record.id,
        "group": "rg-apps",
        "zone group": "rg-apps",
        "zone": "privatelink.eastus2.azure.elastic-cloud.com",
        "subnet id": f"{vnet_id('eastus2')}/subnets/apps",
        "alias": estate.service_of("eastus2").alias,
    }
    for line in catalogue()[reason].commands:
        await run(estate, line, filled)
    for _ in range(4):
        await estate.settle(1200)
        await estate.clock.sleep(300)
        await estate.sweep()
    await estate.settle()
    record = await estate.connection(endpoint)
    assert record.status.phase == case.phase, [(c.type, c.reason, c.message) for c in record.status.conditions]


SETTINGS = "the message names the setting of the app: it is changed where the app was deployed"
ELSEWHERE = "a network device, a proxy or a product of the user's, for which there is no command of one line"
LOOK = "nothing is to be changed by it: a person looks, and decides"
CONSOLE = "what is to be done depends on the policy or the deployment, in Elastic Cloud's console"
LIKE = "the same lines as another reason, which has a case"
OTHERS = "told and mended in a test of its own"

EXCEPTIONS: dict[Reason, str] = {
    **dict.fromkeys(
        (
            Reason.UNKNOWN_ELASTIC_ALIAS, Reason.OUT_OF_SCOPE, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE,
            Reason.NO_PLACE_FOR_ZONE, Reason.NETWORK_NOT_FOUND, Reason.NO_ORGANIZATION,
            Reason.ORGANIZATION_NOT_CONFIGURED, Reason.RETAINED_POLICIES_MAX_REACHED, Reason.ANSWERED_BY_ANOTHER_ZONE,
            Reason.STORAGE_KEYS_NOT_PERMITTED, Reason.STORAGE_ANONYMOUS, Reason.INVALID_INPUT, Reason.RECORD_FULL,
        ), SETTINGS,
    ),
    **dict.fromkeys(
        (
            Reason.CERTIFICATE_MISMATCH, Reason.CERTIFICATE_NOT_TRUSTED, Reason.TLS_FAILED, Reason.UNEXPECTED_ANSWER,
            Reason.FOREIGN_ANSWER, Reason.NAME_NOT_FOUND, Reason.PUBLIC_ADDRESS, Reason.WRONG_ADDRESS, Reason.NO_ROUTE,
        ), ELSEWHERE,
    ),
    **dict.fromkeys(
        (
            Reason.RECORD_SHARED, Reason.NOT_ASSOCIATED, Reason.ONLY_OTHER_POLICIES, Reason.RESTORE_DELAYED,
            Reason.RESTORED_AGAIN, Reason.LEFT_BEHIND, Reason.ALIAS_NOT_SERVED, Reason.NOT_FOUND, Reason.AZURE_REFUSED,
            Reason.ELASTIC_REFUSED, Reason.EVENTS_LOST,
        ), LOOK,
    ),
    **dict.fromkeys(
        (
            Reason.POLICY_RULE_EDITED, Reason.POLICY_ADMITS_OTHERS, Reason.CONSOLE_SIGN_IN_AFFECTED, Reason.NO_ANSWER,
            Reason.FORBIDDEN_BY_POLICY, Reason.UNKNOWN_RESOURCE, Reason.ELASTICSEARCH_ERROR, Reason.SERVICE_ERROR,
            Reason.PROJECT_LIST_NOT_GUARDED, Reason.NO_PROJECT_VISIBLE, Reason.ELASTIC_RIGHTS_MISSING,
            Reason.OTHER_ORGANIZATIONS_KEY,
        ), CONSOLE,
    ),
    **dict.fromkeys(
        (
            Reason.ENDPOINT_FAILED, Reason.ADDRESS_OVERDUE, Reason.ENDPOINT_NOT_FOUND, Reason.POLICY_GUID_MISMATCH,
            Reason.POLICY_DUPLICATED, Reason.POLICY_IN_ANOTHER_REGION, Reason.APPROVAL_OVERDUE,
            Reason.CONSENT_AMBIGUOUS, Reason.DEPLOYMENT_OUT_OF_SCOPE, Reason.ASSOCIATION_CONTESTED,
            Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT,
        ), LIKE,
    ),
    Reason.ANSWERING_NETWORK_NOT_LINKED: f"{OTHERS}: test_answering_networks",
    Reason.LINK_OVERDUE: f"{OTHERS}: test_waiting",
    Reason.DEPLOYMENT_GONE: f"{OTHERS}: test_unseen_targets",
    Reason.ORGANIZATION_CHANGED: f"{OTHERS}: test_organizations",
    Reason.RECOVERED_UNCONFIRMED: f"{OTHERS}: test_recovered",
    Reason.REMOVAL_LIMIT_REACHED: f"{OTHERS}: test_removal_limit",
    **dict.fromkeys(
        (Reason.ELASTIC_KEY_MISSING, Reason.ELASTIC_KEY_REFUSED, Reason.ELASTIC_KEY_EXPIRING),
        f"{OTHERS}: test_keys",
    ),
    **dict.fromkeys(
        (
            Reason.AZURE_RIGHTS_MISSING, Reason.SUBSCRIPTION_NOT_FOUND, Reason.STORAGE_ACCESS_DENIED,
            Reason.MISSING_SUBSCRIPTION_REGISTRATION, Reason.RESOURCE_GROUP_NOT_FOUND,
        ), "only real Azure takes the command; it is held to what Azure CLI has",
    ),
}  # fmt: skip
"""Why a reason that asks a person has no case here."""


def test_each_reason_that_asks_a_person_has_a_case_a_page_of_azures_or_a_stated_exception() -> None:
    asking = {one.reason for one in catalogue().values() if one.remedy and not one.remedy.startswith("Wait")}
    answered = {*CASES, *EXCEPTIONS, *(one.reason for one in catalogue().values() if one.only_in_azure)}
    assert asking - answered == set()
    assert {*CASES} & {*EXCEPTIONS} == set()
    assert {*EXCEPTIONS} - asking == set(), "what asks for nothing needs no exception"


LOOKED_UP = {
    "group create": "--location --name",
    "keyvault secret set": "--file --name --value --vault-name",
    "lock delete": "--ids",
    "network private-dns link vnet create": (
        "--name --registration-enabled --resource-group --virtual-network --zone-name"
    ),
    "network private-dns link vnet delete": "--name --resource-group --yes --zone-name",
    "network private-dns record-set a delete": "--name --resource-group --yes --zone-name",
    "network private-endpoint create": (
        "--connection-name --manual-request --name --private-connection-resource-id --resource-group --subnet"
    ),
    "network private-endpoint delete": "--ids",
    "provider register": "--namespace --subscription",
    "role assignment create": "--assignee --role --scope",
    "tag update": "--operation --resource-id --tags",
}
"""Commands and options that Azure CLI has, looked up with `--help`."""


def az_lines() -> set[str]:
    return {line for one in catalogue().values() for line in one.commands if line.startswith("az ")}


def test_a_command_of_azures_is_one_that_its_cli_has() -> None:
    for line in az_lines():
        words = shlex.split(line.replace("<", "").replace(">", ""))[1:]
        command = " ".join(words[: next(at for at, word in enumerate(words) if word.startswith("--"))])
        assert {word for word in words if word.startswith("--")} <= set(LOOKED_UP[command].split()), line


@pytest.mark.skipif(shutil.which("az") is None, reason="Azure's CLI is not installed")
@pytest.mark.parametrize("command", LOOKED_UP)
def test_azures_cli_itself_has_the_command_and_its_options(command: str) -> None:
    asked = ["az", *command.split(), "--help"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert [option for option in LOOKED_UP[command].split() if option not in told.stdout] == []
