"""Serverless: an answer that is short, empty, a conflict or a portal's takes nothing from others and ends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import AnswerLost, AutopilotError, Blocked, RetryLater, UnusableAnswer
from shared.core.model.reasons import Reason
from shared.core.model.steps import Associate
from tests.clouds.elastic.project_parts import Interrupting, made

if TYPE_CHECKING:
    from local.elastic import ElasticCloud
    from local.elastic.serverless import Project, ServerlessSettings
    from shared.clouds.elastic.serverless.client import ServerlessConnections


async def with_two_of_others(api: ServerlessConnections, elastic: ElasticCloud, project: Project) -> tuple[str, str]:
    """Our policy and that of others which comes last; the listing of projects has shown both of theirs."""
    theirs = elastic.serverless.add_filter("theirs", "eastus2").id
    elastic.serverless.write_list(project, [*project.filters, theirs])
    ours = await made(api)
    await api.policies()
    return ours, theirs


async def test_one_answer_that_leaves_out_a_filter_of_others_takes_it_from_no_project(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    """Its ETag is the current one, so the write would be taken."""
    ours, theirs = await with_two_of_others(api, elastic, project)
    office, wire.short = project.filters[0], [True]
    await api.associate(Associate(ours, project.id, "orders"), await api.attached_to(project.id))
    assert project.filters == (office, theirs, ours)


async def test_nothing_is_written_while_the_listing_shows_what_the_project_does_not(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    ours, _ = await with_two_of_others(api, elastic, project)
    before, wire.short = project.filters, [True] * 9
    with pytest.raises(UnusableAnswer, match="listing shows"):
        await api.associate(Associate(ours, project.id, "orders"))
    assert project.filters == before


async def test_what_others_took_away_holds_nothing_up(
    api: ServerlessConnections, wire: Interrupting, elastic: ElasticCloud, project: Project
) -> None:
    ours, theirs = await with_two_of_others(api, elastic, project)
    elastic.serverless.write_list(project, [theirs])
    await api.associate(Associate(ours, project.id, "orders"))
    assert project.filters == (theirs, ours)
    assert wire.sent.count("GET /projects/observability") == 2, "listed once more, and not at every look"


@pytest.mark.parametrize("call", ["GET {}", "GET {}/status", "PATCH {}"])
async def test_a_conflict_ends_by_itself(
    api: ServerlessConnections, wire: Interrupting, project: Project, call: str
) -> None:
    """409 is declared for a change of a project; a read cannot conflict with anything for good."""
    ours = await made(api)
    await api.policies()
    wire.refused = {call.format(f"/projects/observability/{project.id}"): 409}
    with pytest.raises(RetryLater, match="something else is under way"):
        await api.associate(Associate(ours, project.id, "orders"))
    assert await api.associate(Associate(ours, project.id, "orders")) is True


async def test_a_portal_that_refuses_for_the_service_does_not_show_that_it_honours_if_match(
    api: ServerlessConnections, elastic: ElasticCloud, settings: ServerlessSettings, project: Project
) -> None:
    settings.honours_if_match, ours, office = False, await made(api), project.filters
    elastic.settings.faults.append(lambda method, _: (400, "<html>no</html>") if method == "PATCH" else None)
    with pytest.raises(AutopilotError):
        await api.associate(Associate(ours, project.id, "orders"))
    elastic.settings.faults.clear()
    with pytest.raises(Blocked) as refused:
        await api.associate(Associate(ours, project.id, "orders"))
    assert refused.value.explanation.reason is Reason.PROJECT_LIST_NOT_GUARDED
    assert project.filters == office


async def test_an_answer_that_names_no_policy_is_no_answer_that_it_is_gone(
    api: ServerlessConnections, elastic: ElasticCloud
) -> None:
    ours = await made(api)
    elastic.settings.faults.append(lambda _, path: (200, {}) if path.endswith(ours) else None)
    with pytest.raises(AnswerLost):
        await api.policy(ours)
