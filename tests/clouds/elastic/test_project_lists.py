"""Serverless: nothing of others is lost from a project's list, and a list of policies is whole or decides nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from local.elastic import ElasticCloud
from local.elastic.serverless import ServerlessRegion, ServerlessSettings
from shared.clouds.elastic.serverless.bodies import private_urls
from shared.clouds.elastic.serverless.client import ServerlessConnections
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    LostRace,
    NotFound,
    RetryLater,
    Waiting,
)
from shared.core.model.reasons import Reason
from shared.core.model.services import Family, Service
from shared.core.model.steps import Associate
from tests.clouds.elastic.project_parts import ALIAS, ZONE, Interrupting, made
from tests.local.elastic.elastic_parts import GUID

if TYPE_CHECKING:
    from local.elastic.serverless import Project


async def test_another_who_writes_between_read_and_write_loses_nothing(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    ours, theirs = await made(api), elastic.serverless.add_filter("theirs", "eastus2").id
    office = project.filters

    def adds_theirs(method: str, path: str) -> None:
        if method == "PATCH" and theirs not in project.filters and api_writes(path, wire):
            elastic.serverless.write_list(project, [*project.filters, theirs])

    wire.before = adds_theirs
    assert await api.associate(Associate(ours, project.id, "orders")) is True
    assert set(project.filters) == {*office, theirs, ours}


def api_writes(path: str, wire: Interrupting) -> bool:
    """The second PATCH of this run or a later one: the first only asks whether If-Match is honoured."""
    return wire.sent.count(f"PATCH {path}") >= 2


async def test_a_list_that_changes_all_the_time_is_left_alone(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    ours, two = await made(api), [elastic.serverless.add_filter(name, "eastus2").id for name in ("one", "other")]

    def changes(method: str, _path: str) -> None:
        if method == "PATCH":
            elastic.serverless.write_list(project, [two[len(wire.sent) % 2]])

    wire.before = changes
    with pytest.raises(LostRace):
        await api.associate(Associate(ours, project.id, "orders"))
    assert ours not in project.filters


async def test_two_writers_at_once_both_get_in(
    api: ServerlessConnections, elastic: ElasticCloud, project: Project
) -> None:
    office, ours = project.filters, [await made(api, name=f"pe-{number}") for number in range(3)]
    elastic.settings.latency_seconds = 1.0
    await asyncio.gather(*(api.associate(Associate(one, project.id, "orders")) for one in ours))
    assert set(project.filters) == {*office, *ours}


@pytest.mark.parametrize("landed", [True, False], ids=["applied", "not applied"])
async def test_a_write_whose_answer_is_lost_ends_by_the_answer_to_its_repeat(
    api: ServerlessConnections, wire: Interrupting, project: Project, landed: bool
) -> None:
    ours, office = await made(api), project.filters
    wire.lost = [landed]
    seen = await api.attached_to(project.id)
    assert await api.associate(Associate(ours, project.id, "orders"), seen) is True
    assert project.filters == (*office, ours)
    assert project_writes(wire, project) == 2


@pytest.mark.parametrize("lost", [[True, True], [False, False], [True, False]])
async def test_a_write_whose_repeat_has_no_answer_either_may_be_done(
    api: ServerlessConnections, wire: Interrupting, project: Project, lost: list[bool]
) -> None:
    ours = await made(api)
    wire.lost = lost
    with pytest.raises(AnswerLost):
        await api.associate(Associate(ours, project.id, "orders"), await api.attached_to(project.id))


async def test_a_write_that_landed_and_shows_late_may_be_done(
    api: ServerlessConnections, settings: ServerlessSettings, wire: Interrupting, project: Project
) -> None:
    """Not told as refused: it would not count as ours, and stay for good."""
    ours = await made(api)
    seen = await api.attached_to(project.id)
    wire.lost, settings.project_lag_seconds = [True], 60.0
    with pytest.raises(AnswerLost):
        await api.associate(Associate(ours, project.id, "orders"), seen)
    assert ours in project.filters


async def test_only_the_list_that_was_decided_on_is_written_over(
    api: ServerlessConnections, elastic: ElasticCloud, project: Project
) -> None:
    """What closes the project may have gone since."""
    ours = await made(api)
    await api.associate(Associate(ours, project.id, "orders"))
    seen = await api.attached_to(project.id)
    elastic.serverless.write_list(project, [ours])
    with pytest.raises(LostRace):
        await api.disassociate(ours, project.id, seen)
    assert project.filters == (ours,)


def project_writes(wire: Interrupting, project: Project) -> int:
    """How often its list was written, besides the question whether If-Match is honoured."""
    return wire.sent.count(f"PATCH /projects/{project.type}/{project.id}") - 1


async def test_our_entry_that_another_takes_away_at_once_is_noticed(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    ours, office = await made(api), project.filters

    def terraform(method: str, path: str) -> None:
        if method == "GET" and path.endswith(project.id) and ours in project.filters:
            elastic.serverless.write_list(project, office)

    wire.before = terraform
    with pytest.raises(RetryLater, match="others write it too"):
        await api.associate(Associate(ours, project.id, "orders"))


async def test_a_service_that_ignores_if_match_is_not_written_to(
    api: ServerlessConnections, settings: ServerlessSettings, project: Project
) -> None:
    settings.honours_if_match = False
    ours, office = await made(api), project.filters
    with pytest.raises(Blocked) as refused:
        await api.associate(Associate(ours, project.id, "orders"))
    assert refused.value.explanation.reason is Reason.PROJECT_LIST_NOT_GUARDED
    assert project.filters == office


@pytest.mark.parametrize(("phase", "error"), [("initializing", Waiting), ("suspended", Blocked), ("deleting", Blocked)])
async def test_a_project_that_does_not_run_is_not_changed(
    api: ServerlessConnections, project: Project, phase: Any, error: type[AutopilotError]
) -> None:
    project.phase, ours, office = phase, await made(api), project.filters
    with pytest.raises(error):
        await api.associate(Associate(ours, project.id, "orders"))
    assert project.filters == office


async def test_a_project_that_the_key_may_not_see(
    api: ServerlessConnections, settings: ServerlessSettings, project: Project
) -> None:
    settings.invisible_projects.add(project.id)
    with pytest.raises(NotFound):
        await api.attached_to(project.id)


@pytest.mark.parametrize("hides", ["defaults", "others", "nothing"])
async def test_policies_that_apply_by_default_are_listed_too(
    api: ServerlessConnections, settings: ServerlessSettings, elastic: ElasticCloud, hides: Any
) -> None:
    settings.list_hides = hides
    plain, default = await made(api), await made(api, name="default")
    elastic.serverless.patch_filter(default, include_by_default=True)
    assert {one.id: one.include_by_default for one in await api.policies()} == {plain: False, default: True}


@pytest.mark.parametrize("where", ["body", "header", "both"])
@pytest.mark.parametrize("empty", [False, True])
async def test_policies_are_read_to_the_last_page(
    api: ServerlessConnections, settings: ServerlessSettings, where: Any, empty: bool
) -> None:
    settings.page_size, settings.next_page_in, settings.empty_pages = 2, where, empty
    ids = {await made(api, name=f"policy-{number}") for number in range(5)}
    assert {one.id for one in await api.policies()} == ids


async def test_pages_that_have_no_end_decide_nothing(api: ServerlessConnections, elastic: ElasticCloud) -> None:
    def again(method: str, path: str) -> tuple[int, Any] | None:
        return (200, {"items": [], "next_page": "again"}) if path.endswith("/traffic-filters") else None

    elastic.settings.faults.append(again)
    with pytest.raises(AnswerLost, match="no end"):
        await api.policies()


@pytest.mark.parametrize("null", [False, True])
async def test_a_list_that_is_null(
    api: ServerlessConnections, settings: ServerlessSettings, elastic: ElasticCloud, null: bool
) -> None:
    """Among many projects it is not known what `null` means; of one that is read by itself it is none."""
    settings.null_lists = null
    empty = elastic.serverless.add_project("empty", "security", "eastus2")
    (found,) = await api.targets(["empty"])
    assert found.attached == (None if null else ())
    assert (await api.attached_to(empty.id)).policies == ()


async def test_a_sweep_reads_each_list_once(api: ServerlessConnections, wire: Interrupting, project: Project) -> None:
    await api.policies()
    await api.targets([project.id])
    assert sorted(wire.sent) == [
        "GET /projects/elasticsearch",
        "GET /projects/observability",
        "GET /projects/security",
        "GET /traffic-filters",
        "GET /traffic-filters",
    ]


async def test_guids_are_sent_in_lower_case(api: ServerlessConnections) -> None:
    await made(api, endpoint_guid=GUID.upper())
    (found,) = await api.policies()
    assert found.rules[0].endpoint_guid == GUID


@pytest.mark.parametrize("when", ["always", "never"])
async def test_private_urls_are_those_of_the_api_or_computed(
    api: ServerlessConnections, settings: ServerlessSettings, project: Project, when: Any
) -> None:
    settings.private_endpoints = when
    (found,) = await api.targets(["orders"])
    assert [(url.service, url.url) for url in found.urls] == [
        (service, f"https://{project.alias}.{label}.{ZONE}")
        for service, label in {"elasticsearch": "es", "kibana": "kb", "apm": "apm", "ingest": "ingest"}.items()
    ]


@pytest.mark.parametrize(
    "endpoints",
    [None, {}, {"elasticsearch": None}, {"elasticsearch": "https://[x"}, {"elasticsearch": "https://a.es.example.com"}],
    ids=str,
)
def test_no_private_url_is_guessed(endpoints: Any) -> None:
    assert private_urls({"endpoints": endpoints}) == ()


async def test_services_come_from_the_metadata(api: ServerlessConnections, elastic: ElasticCloud) -> None:
    elastic.serverless.regions.append(
        ServerlessRegion("westus2", "not an alias", "private.westus2.azure.elastic.cloud")
    )
    elastic.serverless.regions.append(ServerlessRegion("eastus2", ALIAS, "private.example.com"))
    assert await api.services() == (Service(Family.SERVERLESS, "eastus2", ALIAS, ZONE),)
