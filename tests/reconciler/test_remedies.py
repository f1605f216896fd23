"""Every reason has a remedy that works: provoked in the local clouds, run as it stands, and followed to its end.

The lines are those of the connection's detail, with all that the app knows filled in; what only a person can know is
named by the case. A reason that asks a person for something has a case here, one that is done by hand
(`remedies_by_hand`), a page of Azure's, or a stated exception.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from itertools import combinations
from typing import Any

import pytest

from shared.api.queries import get_connection
from shared.core.model.reasons import Reason
from shared.core.model.services import Family
from shared.core.reasons import catalogue
from shared.core.reasons.commands import filled
from tests.harness.estate import Estate
from tests.reconciler.remedies_by_hand import HANDS
from tests.reconciler.remedy_cases import CASES, Case
from tests.reconciler.remedy_parts import Shell


def lines_about(detail: dict[str, Any], reason: Reason) -> list[str]:
    """What the detail of a connection has a person run about a reason."""
    told = [*detail["conditions"], *detail["advice"]]
    remedies = [one["remedy"]["commands"] for one in told if one["reason"] == reason and one["remedy"]]
    assert remedies, [(one["type"], one["reason"], one["message"]) for one in detail["conditions"]]
    assert all(one == remedies[0] for one in remedies)
    return list(remedies[0])


@pytest.mark.parametrize("reason", CASES)
async def test_the_remedy_of_a_reason_works_as_the_detail_shows_it(reason: Reason) -> None:
    case = CASES[reason]
    estate, endpoint = await case.opened()
    connection = (await estate.connection(endpoint)).id
    lines = lines_about(await get_connection(estate.worker.context, connection), reason)
    opened = {name for line in lines for name in re.findall(r"<([^<>]+)>", line)}
    assert opened == set(case.person), "what only a person knows"
    shell, before = Shell(estate), tags_of(estate, endpoint)
    await case.meanwhile(estate)
    for line in (one for one in lines if case.choice(estate) in one):
        await shell.run(re.sub(r"<([^<>]+)>", lambda found: case.person[found[1]](shell), line))
    await settled(case, estate, endpoint, reason)
    assert before <= tags_of(estate, endpoint), "no tag that a person or another team has set is lost"


def tags_of(estate: Estate, endpoint: str) -> set[tuple[str, str]]:
    """The names of all tags of the endpoint and of the deployments, each with whose it is."""
    found = estate.arm.private_endpoint(endpoint)
    tags = {} if found is None else {found.id: found.tags}
    tags |= {one.id: one.tags for one in estate.elastic.deployments()}
    return {(owner, name) for owner, named in tags.items() for name in named}


OF_PROJECTS = (
    Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC,
    Reason.DEPLOYMENT_NOT_ALLOWED,
    Reason.DEPLOYMENT_OPTED_OUT,
    Reason.POLICY_DUPLICATED,
)


@pytest.mark.parametrize("family", [Family.SERVERLESS], ids=str, indirect=True)
@pytest.mark.parametrize("reason", OF_PROJECTS)
async def test_so_do_those_of_a_connection_to_projects(reason: Reason, family: Family) -> None:
    await test_the_remedy_of_a_reason_works_as_the_detail_shows_it(reason)


async def settled(case: Case, *args: Any) -> None:
    estate, endpoint, reason = args
    for _ in range(4):
        await estate.settle(1200)
        record = await estate.connection(endpoint)
        told = {one.reason for one in (*record.status.conditions, *record.advice)}
        if record.status.phase == case.phase and reason not in told:
            return
        await estate.clock.sleep(300)
        await estate.sweep()
    raise AssertionError([record.status.phase, *((c.type, c.reason, c.message) for c in record.status.conditions)])


IN_BETWEEN = "a device of the user's in between, or a target that is overloaded; tests/probe has real servers like it"
OTHER_CONDITION = (
    "a verdict on one host: its remedy is that of condition Associated or Approved, whose reasons have cases"
)
NO_TABLES = (
    "no connection has it: without its tables the app keeps none. The local storage knows no roles; doctor says it"
)
PROXY = "Elastic's proxy knows something else than its API: a person looks, and Elastic puts it right"
QUOTED = "nothing here knows better than the answer that it quotes; no situation of the local clouds has it"
EXCEPTIONS: dict[Reason, str] = {
    Reason.CERTIFICATE_NOT_TRUSTED: IN_BETWEEN,
    Reason.TLS_FAILED: IN_BETWEEN,
    Reason.UNEXPECTED_ANSWER: IN_BETWEEN,
    Reason.NO_ANSWER: IN_BETWEEN,
    Reason.NOT_ASSOCIATED: OTHER_CONDITION,
    Reason.ONLY_OTHER_POLICIES: OTHER_CONDITION,
    Reason.NO_ROUTE: OTHER_CONDITION,
    Reason.STORAGE_KEYS_NOT_PERMITTED: NO_TABLES,
    Reason.STORAGE_ANONYMOUS: NO_TABLES,
    Reason.STORAGE_ACCESS_DENIED: NO_TABLES,
    Reason.FORBIDDEN_BY_POLICY: PROXY,
    Reason.UNKNOWN_RESOURCE: PROXY,
    Reason.NOT_FOUND: QUOTED,
    Reason.INVALID_INPUT: QUOTED,
    Reason.ALIAS_NOT_SERVED: "clients use the name that is shown, and nothing changes in the clouds",
    Reason.RECORD_SHARED: "a setting asks for it: nothing is to be put right, and the advice stays",
    Reason.RECORD_FULL: "twenty endpoints take long: in test_sharing one goes, and the next gets its place",
    Reason.TOO_MANY_TARGETS: "a bound of five in tests/health/test_many_hosts: a tag is taken off, and all is Ready",
    Reason.EVENTS_LOST: "doctor alone says it, of a subscription: tests/installation/test_event_topics",
    Reason.PROJECT_LIST_NOT_GUARDED: "Elastic Cloud lacks what it documents, which is reported",
}
"""Why a reason that asks a person has no case, neither here nor in `remedies_by_hand`."""


def test_each_reason_that_asks_a_person_has_a_case_a_page_of_azures_or_a_stated_exception() -> None:
    asking = {one.reason for one in catalogue().values() if one.remedy and not one.remedy.startswith("Wait")}
    with_page = {one.reason for one in catalogue().values() if one.only_in_azure}
    kinds = ({*CASES}, {*HANDS}, {*EXCEPTIONS}, with_page)
    assert asking - set().union(*kinds) == set()
    assert not [(one, other) for one, other in combinations(kinds, 2) if one & other], "each has one"
    assert {*EXCEPTIONS} - asking == set(), "what asks for nothing needs no exception"
    with_lines = {one.reason for one in catalogue().values() if one.commands or one.project_commands}
    assert with_lines - {*CASES} == {Reason.STORAGE_ACCESS_DENIED}, "lines are run"


NAME_A_SETTING = (
    Reason.UNKNOWN_ELASTIC_ALIAS, Reason.OUT_OF_SCOPE, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, Reason.NO_PLACE_FOR_ZONE,
    Reason.NETWORK_NOT_FOUND, Reason.NO_ORGANIZATION, Reason.ORGANIZATION_NOT_CONFIGURED,
    Reason.RETAINED_POLICIES_MAX_REACHED, Reason.ANSWERED_BY_ANOTHER_ZONE, Reason.STORAGE_KEYS_NOT_PERMITTED,
    Reason.STORAGE_ANONYMOUS,
)  # fmt: skip


@pytest.mark.parametrize("reason", NAME_A_SETTING)
def test_where_a_setting_is_the_remedy_it_is_named(reason: Reason) -> None:
    entry = catalogue()[reason]
    assert re.search(r"[A-Z]+_[A-Z_]+|AzureWebJobsStorage__\w+|the setting that the message names", entry.remedy)


LOOKED_UP = {
    "group create": "--location --name",
    "keyvault secret set": "--file --name --vault-name",
    "lock delete": "--ids",
    "lock list": "--output --resource-group",
    "network private-dns link vnet create": (
        "--name --registration-enabled --resource-group --virtual-network --zone-name"
    ),
    "network private-dns link vnet delete": "--name --resource-group --yes --zone-name",
    "network private-dns record-set a delete": "--name --resource-group --yes --zone-name",
    "network private-endpoint create": (
        "--connection-name --location --manual-request --name --private-connection-resource-id --resource-group "
        "--subnet"
    ),
    "network private-endpoint delete": "--ids",
    "network private-endpoint show": "--ids --output --query",
    "provider register": "--namespace --subscription",
    "rest": "--body --method --url",
    "role assignment create": "--assignee --role --scope",
    "tag update": "--operation --resource-id --tags",
}
"""Commands and options that Azure CLI has: each was asked of the `--help` of azure-cli 2.91, and is again wherever it
is installed."""


def az_lines() -> set[str]:
    entries = catalogue().values()
    lines = {line for one in entries for line in (*one.commands, *one.project_commands)}
    inner = (re.fullmatch(r"\w+=\$\((az .*)\)", line) for line in lines)
    return {line for line in lines if line.startswith("az ")} | {found[1] for found in inner if found}


def test_a_command_of_azures_is_one_that_its_cli_has() -> None:
    used: dict[str, set[str]] = {}
    for line in az_lines():
        words = shlex.split(line.replace("<", "").replace(">", ""))[1:]
        command = " ".join(words[: next(at for at, word in enumerate(words) if word.startswith("--"))])
        used[command] = used.get(command, set()) | {word for word in words if word.startswith("--")}
    assert used == {command: set(options.split()) for command, options in LOOKED_UP.items()}


@pytest.mark.skipif(shutil.which("az") is None, reason="Azure's CLI is not installed")
@pytest.mark.parametrize("command", LOOKED_UP)
def test_azures_cli_itself_has_the_command_and_its_options(command: str) -> None:
    asked = ["az", *command.split(), "--help"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert [option for option in LOOKED_UP[command].split() if option not in told.stdout] == []


# -- as they stand on the page -------------------------------------------------------------------------------------


def as_a_shell_reads(line: str) -> str:
    """What is wrong with it as a command of sh; empty: nothing."""
    answer = subprocess.run(["/bin/sh", "-n"], input=f"{line}\n", text=True, capture_output=True, check=False)
    return answer.stderr


HARD = 'it\'s "$HOME" `id` \\ (1)'


@pytest.mark.parametrize("reason", [one.reason for one in catalogue().values() if one.commands])
def test_the_lines_are_valid_shell_and_each_value_arrives_as_it_is(reason: Reason) -> None:
    entry = catalogue()[reason]
    for line in (*entry.commands, *entry.project_commands):
        names = re.findall(r"<([^<>]+)>", line)
        text = filled(line, {"tags": json.dumps([HARD])} | dict.fromkeys(names, HARD))
        assert as_a_shell_reads(text) == "", text
        assert "<" not in text
        printed = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", re.sub(r"^(\w+=\$\()?(az|curl) ", r"\1printf '%s\\n' ", text)],
            text=True, capture_output=True, check=True, env={"HOME": "/nowhere", "tags": "{}", "subnet": "S"},
        ).stdout  # fmt: skip
        if not re.match(r"\w+=", text):
            given = HARD if "<its other tags>" not in line else json.dumps([HARD])
            assert (given in printed) == bool(names), text
