"""A person edits the Resource ID in our policy: it is put right in place where the rule is surely ours."""

from __future__ import annotations

import pytest

from local.elastic.model import Ruleset
from tests.harness.changing import THEIRS, attached, connected, policy_of, swept, wish
from tests.harness.estate import Estate
from tests.harness.leaving import everything

pytestmark = pytest.mark.both_families

TYPED = "00000000-1111-4000-8000-000000000000"


async def edited(estate: Estate, guid: str = TYPED) -> tuple[str, str]:
    """An endpoint whose rule a person has changed; returns its GUID too."""
    endpoint = await connected(estate)
    (rule,) = policy_of(estate, endpoint).rules
    right = str(rule["azure_endpoint_guid"])
    rule["azure_endpoint_guid"] = guid
    return endpoint, right


def policy_of_pe1(estate: Estate) -> Ruleset:
    (policy,) = [one for one in estate.elastic.rulesets() if one.name == "pe-1"]
    return policy


def guids(estate: Estate) -> list[str]:
    return [str(rule["azure_endpoint_guid"]) for rule in policy_of_pe1(estate).rules]


async def test_it_is_put_right_and_the_next_deployment_is_connected(estate: Estate) -> None:
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    endpoint, right = await edited(estate)
    wish(estate, endpoint, "logs-eastus2", "audit")
    await swept(estate)
    await estate.ready(endpoint)
    assert guids(estate) == [right]
    assert "pe-1" in attached(estate, "audit")


async def test_a_guid_of_another_endpoint_blocks_until_a_person_corrects_it(estate: Estate) -> None:
    endpoint, right = await edited(estate)
    other = estate.arm.private_endpoint(await estate.put_endpoint("pe-2"))
    assert other is not None
    rule = policy_of_pe1(estate).rules[0]
    rule["azure_endpoint_guid"] = other.resource_guid
    await swept(estate)
    assert await estate.reason(endpoint, "PolicyReady") == "PolicyRuleEdited"
    assert guids(estate) == [other.resource_guid]
    policy_of_pe1(estate).rules[0]["azure_endpoint_guid"] = right
    await swept(estate)
    await estate.ready(endpoint)


async def test_it_is_put_right_also_where_a_policy_of_others_has_the_endpoints_guid(estate: Estate) -> None:
    """Else ours would stay associated for whom its rule lets in, as if others had made it."""
    endpoint, right = await edited(estate)
    rule = {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": right}
    estate.elastic.add_endpoint_policy("theirs", "eastus2", [rule])
    await swept(estate)
    await estate.ready(endpoint)
    assert guids(estate) == [right]
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]
    await estate.delete(endpoint)
    await estate.settle(1800)
    assert everything(estate) == ["policy theirs"]


async def test_an_endpoint_that_goes_takes_its_edited_policy_with_it(estate: Estate) -> None:
    endpoint, _ = await edited(estate)
    await estate.delete(endpoint)
    await estate.settle(1800)
    assert everything(estate) == []
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"]


async def test_a_policy_with_a_rule_added_too_stays_with_its_endpoint_gone(estate: Estate) -> None:
    endpoint, _ = await edited(estate)
    policy_of_pe1(estate).rules.append(dict(THEIRS))
    await estate.delete(endpoint)
    await estate.settle(1800)
    assert everything(estate) == ["policy pe-1"]
    assert "pe-1" in attached(estate, "logs-eastus2")
