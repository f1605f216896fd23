"""Two installations of one name, in one tenant: each keeps its own roles, events and groups, and goes alone."""

from __future__ import annotations

import pytest

from tests.infra.paper_az import NAME, Person
from tests.infra.paper_choices import HOME, OTHER
from tests.infra.paper_cloud import ROLES, Cloud, Refused
from tests.infra.test_infra_life_on_paper import THIRD, another_teams_topic


def test_two_installations_of_one_name_live_side_by_side_in_a_tenant_and_one_goes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both watch the other's subscription too; names of roles are unique in a tenant."""
    cloud = Cloud()
    another_teams_topic(cloud, THIRD)
    first = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=f"{HOME},{THIRD}", EVENT_DELIVERY="none")
    second = Person(cloud, OTHER, monkeypatch, AZURE_SUBSCRIPTIONS=f"{OTHER},{HOME}", EVENT_DELIVERY="none")
    first.up()
    alone = dict(cloud.made)
    cloud.upload = lambda: None  # type: ignore[method-assign]  # of either
    second.up()
    assert len(cloud.of(ROLES)) == 8
    second.hook("undo")
    assert cloud.made == alone


@pytest.mark.parametrize("delivery", ["queue", "function"])
def test_a_second_installation_of_a_name_does_not_take_the_events_of_the_first(
    monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    """Group, topic and event subscription have the same names in a subscription that both watch."""
    cloud = Cloud()
    first = Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=f"{HOME},{THIRD}")
    first.up()
    alone = dict(cloud.made)
    both = f"{OTHER},{THIRD}"
    second = Person(cloud, OTHER, monkeypatch, AZURE_SUBSCRIPTIONS=both, EVENT_DELIVERY=delivery)
    with pytest.raises(Refused, match=f"Another installation of the name {NAME}, in {HOME}, has the events of {THIRD}"):
        second.up()
    assert cloud.made == alone
    second.chosen["AZURE_SUBSCRIPTIONS"] = OTHER
    cloud.upload = lambda: None  # type: ignore[method-assign]  # of either
    second.up()
    assert cloud.made.keys() > alone.keys()


def test_a_second_installation_without_events_leaves_those_of_the_first_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = Cloud()
    topic = another_teams_topic(cloud, THIRD)
    Person(cloud, HOME, monkeypatch, AZURE_SUBSCRIPTIONS=f"{HOME},{THIRD}").up()
    alone = dict(cloud.made)
    cloud.upload = lambda: None  # type: ignore[method-assign]  # of either
    second = Person(
        cloud,
        OTHER,
        monkeypatch,
        AZURE_SUBSCRIPTIONS=f"{OTHER},{HOME},{THIRD}",
        EXISTING_SYSTEM_TOPICS=topic,
        EVENT_DELIVERY="none",
    )
    second.up()
    assert cloud.made.keys() > alone.keys()
    second.hook("undo")
    assert cloud.made == alone
