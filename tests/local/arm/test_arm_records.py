"""Record sets: synchronous, unwrapped errors, etags that mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from tests.local.arm.arm_client import ZONE, ZONE_NAME, Http, record_body

if TYPE_CHECKING:
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

    from local.arm import ArmCloud, ResourceEvent

WILDCARD = f"{ZONE}/A/*"


async def test_a_record_set_is_created_201_updated_200_and_answered_in_full(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    await http.zone()
    created = await http("PUT", WILDCARD, record_body("10.1.0.4", owner="me"))
    assert created.status_code == 201
    assert created.json() == {
        "id": WILDCARD,
        "name": "*",
        "type": "Microsoft.Network/privateDnsZones/A",
        "etag": created.headers["etag"],
        "properties": {
            "metadata": {"owner": "me"},
            "ttl": 300,
            "fqdn": f"*.{ZONE_NAME}.",
            "isAutoRegistered": False,
            "aRecords": [{"ipv4Address": "10.1.0.4"}],
        },
    }
    updated = await http("PUT", WILDCARD, record_body("10.1.0.5"))
    assert (updated.status_code, "metadata" in updated.json()["properties"]) == (200, False)
    assert updated.json()["etag"] != created.json()["etag"]
    assert cloud.private_dns_zones()[0].a_record("*") == ["10.1.0.5"]
    assert cloud.private_dns_zones()[0].a_record("other") is None
    assert events[-1].resource_type == "Microsoft.Network/privateDnsZones/A"


async def test_name_and_type_are_answered_in_azures_case(http: Http) -> None:
    await http.zone()
    created = await http("PUT", f"{ZONE}/a/WWW", record_body("10.1.0.4"))
    assert (created.json()["name"], created.json()["type"]) == ("www", "Microsoft.Network/privateDnsZones/A")
    assert created.json()["id"] == f"{ZONE}/A/www"


async def test_a_missing_record_is_an_unwrapped_404(http: Http) -> None:
    await http.zone()
    answer = await http("GET", WILDCARD)
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "NotFound",
        "message": "The resource record '*' does not exist in resource group 'rg-dns' of subscription "
        "'00000000-0000-0000-0000-000000000001'.",
    }


async def test_preconditions_are_an_unwrapped_412_at_once(http: Http) -> None:
    await http.zone()
    await http("PUT", WILDCARD, record_body("10.1.0.4"))
    answer = await http("PUT", WILDCARD, record_body("10.1.0.4"), If_None_Match="*")
    assert answer.status_code == 412
    assert answer.json() == {
        "code": "PreconditionFailed",
        "message": "The Record set * exists already and hence cannot be created again.",
    }


async def test_the_dns_sdk_raises_its_errors_and_reads_merges_and_writes(
    http: Http, dns: PrivateDnsManagementClient
) -> None:
    await http.zone()
    sets = dns.record_sets
    missing = {"etag": "*", "match_condition": MatchConditions.IfMissing}
    with pytest.raises(ResourceNotFoundError) as absent:
        await sets.get("rg-dns", ZONE_NAME, "A", "*")
    assert "does not exist" in absent.value.message
    made = await sets.create_or_update("rg-dns", ZONE_NAME, "A", "*", record_body("10.1.0.4"), **missing)
    with pytest.raises(ResourceExistsError):
        await sets.create_or_update("rg-dns", ZONE_NAME, "A", "*", record_body("10.1.0.5"), **missing)
    same = {"etag": made.etag, "match_condition": MatchConditions.IfNotModified}
    both = record_body("10.1.0.4", "10.1.0.5")
    changed = await sets.create_or_update("rg-dns", ZONE_NAME, "A", "*", both, **same)
    assert [r.ipv4_address for r in changed.a_records] == ["10.1.0.4", "10.1.0.5"]
    with pytest.raises(ResourceModifiedError):
        await sets.create_or_update("rg-dns", ZONE_NAME, "A", "*", both, **same)
    with pytest.raises(ResourceModifiedError):
        await sets.delete("rg-dns", ZONE_NAME, "A", "*", **same)
    assert [s.name async for s in sets.list_by_type("rg-dns", ZONE_NAME, "A")] == ["*"]
    assert [s.type.rsplit("/", 1)[-1] async for s in sets.list("rg-dns", ZONE_NAME)] == ["A", "SOA"]
    await sets.delete("rg-dns", ZONE_NAME, "A", "*")
    assert [s.name async for s in sets.list_by_type("rg-dns", ZONE_NAME, "A")] == []


async def test_a_patch_changes_only_what_it_names(http: Http) -> None:
    await http.zone()
    await http("PUT", WILDCARD, record_body("10.1.0.4", owner="me"))
    body = (await http("PATCH", WILDCARD, {"properties": {"ttl": 60}})).json()["properties"]
    assert (body["ttl"], body["metadata"], body["aRecords"]) == (60, {"owner": "me"}, [{"ipv4Address": "10.1.0.4"}])
    changes = {"aRecords": [], "metadata": {}}
    body = (await http("PATCH", WILDCARD, {"properties": changes})).json()["properties"]
    assert (body["aRecords"], "metadata" in body) == ([], False)
    assert (await http("PATCH", f"{ZONE}/A/none", {"properties": {}})).status_code == 404


async def test_deleting_answers_200_then_204_with_nothing_in_it(http: Http, events: list[ResourceEvent]) -> None:
    await http.zone()
    await http("PUT", WILDCARD, record_body("10.1.0.4"))
    first, second = await http("DELETE", WILDCARD), await http("DELETE", WILDCARD)
    assert [(a.status_code, a.content) for a in (first, second)] == [(200, b""), (204, b"")]
    assert [e.operation for e in events].count("delete") == 1


@pytest.mark.parametrize(
    "properties",
    [
        {"aRecords": [{"ipv4Address": "10.1.0.4"}]},
        {"ttl": 0, "aRecords": []},
        {"ttl": 300, "aRecords": [{"ipv4Address": "10.1.0"}]},
        {"ttl": 300, "aRecords": [{"ipv4Address": "10.1.0.4"}, {"ipv4Address": "10.1.0.4"}]},
        {"ttl": 300, "aRecords": [{"ipv4Address": f"10.1.0.{n}"} for n in range(21)]},
        {"ttl": 300, "aRecords": [], "metadata": {"a": 1}},
    ],
)
async def test_a_malformed_record_set_is_refused(http: Http, properties: dict[str, Any]) -> None:
    await http.zone()
    answer = await http("PUT", WILDCARD, {"properties": properties})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


async def test_other_types_are_kept_and_the_soa_cannot_be_touched(http: Http) -> None:
    await http.zone()
    text = {"properties": {"ttl": 60, "txtRecords": [{"value": ["hello"]}]}}
    assert (await http("PUT", f"{ZONE}/TXT/note", text)).json()["properties"]["txtRecords"] == [{"value": ["hello"]}]
    assert (await http("DELETE", f"{ZONE}/SOA/@")).status_code == 400
    soa = {"properties": {"ttl": 60, "soaRecord": {}}}
    assert (await http("PUT", f"{ZONE}/SOA/@", soa)).status_code == 400
    assert (await http("GET", f"{ZONE}/SOA/@")).json()["properties"]["fqdn"] == f"{ZONE_NAME}."


async def test_lists_of_records_can_be_cut_by_top(http: Http) -> None:
    await http.zone()
    for name in ("a", "b", "c"):
        await http("PUT", f"{ZONE}/A/{name}", record_body("10.1.0.4"))
    first = (await http("GET", f"{ZONE}/A?$top=2")).json()
    rest = (await http("GET", first["nextLink"])).json()
    assert [item["name"] for item in first["value"] + rest["value"]] == ["a", "b", "c"]
    assert "nextLink" not in rest


async def test_if_match_on_a_record_set_that_is_not_there_is_412(http: Http) -> None:
    await http.zone()
    assert (await http("PUT", WILDCARD, record_body("10.1.0.4"), If_Match="*")).status_code == 412
    assert (await http("GET", WILDCARD)).status_code == 404
