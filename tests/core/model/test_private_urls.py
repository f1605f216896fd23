"""Private URLs from a deployment's JSON: the guide's rule, and the API's looseness."""

from __future__ import annotations

from typing import Any

import pytest

from shared.core.model.services import (
    Family,
    PrivateUrl,
    path_test_host,
    private_host,
    private_urls,
    region_of,
)
from shared.settings.services import shipped_services

UUID = "6c9f3b0c4a0e4b43a9d8b7f2c1e0d9a8"


def deployment(**metadata: Any) -> dict[str, Any]:
    return {"resources": {"elasticsearch": [{"region": "azure-eastus2", "info": {"metadata": metadata}}]}}


def test_the_aliased_endpoint_wins_over_the_one_with_the_id() -> None:
    urls = private_urls(
        deployment(
            aliased_endpoint="my-dep.es.eastus2.azure.elastic-cloud.com",
            endpoint=f"{UUID}.eastus2.azure.elastic-cloud.com",
        )
    )
    assert urls == (
        PrivateUrl(
            "elasticsearch",
            "my-dep.es.privatelink.eastus2.azure.elastic-cloud.com",
            9243,
            "6c9f3b0c4a0e4b43a9d8b7f2c1e0d9a8.privatelink.eastus2.azure.elastic-cloud.com",
        ),
    )
    assert urls[0].url == "https://my-dep.es.privatelink.eastus2.azure.elastic-cloud.com:9243"


@pytest.mark.parametrize("alias", [None, "", "   ", 7])
def test_without_an_alias_the_id_is_used(alias: object) -> None:
    (url,) = private_urls(deployment(aliased_endpoint=alias, endpoint=f"{UUID}.eastus2.azure.elastic-cloud.com"))
    assert url.host == f"{UUID}.privatelink.eastus2.azure.elastic-cloud.com"


def test_port_443_is_left_out_of_the_url() -> None:
    (url,) = private_urls(deployment(endpoint="a.es.eastus2.azure.elastic-cloud.com"), port=443)
    assert (url.port, url.url) == (443, "https://a.es.privatelink.eastus2.azure.elastic-cloud.com")


def test_every_service_has_its_url_elasticsearch_first_and_none_twice() -> None:
    def resource(**metadata: Any) -> dict[str, Any]:
        return {"info": {"metadata": metadata}}

    fleet = {"service": "fleet", "url": "https://d.fleet.eastus2.azure.elastic-cloud.com:443"}
    apm = {"service": "apm", "url": "https://d.apm.eastus2.azure.elastic-cloud.com"}
    urls = private_urls(
        {
            "resources": {
                "integrations_server": [resource(services_urls=[fleet, apm, fleet])],
                "kibana": [resource(aliased_endpoint="d.kb.eastus2.azure.elastic-cloud.com", services_urls=None)],
                "elasticsearch": [resource(aliased_endpoint="d.es.eastus2.azure.elastic-cloud.com")],
            }
        }
    )
    zone = "privatelink.eastus2.azure.elastic-cloud.com"
    assert [(url.service, url.host) for url in urls] == [
        ("elasticsearch", f"d.es.{zone}"),
        ("kibana", f"d.kb.{zone}"),
        ("fleet", f"d.fleet.{zone}"),
        ("apm", f"d.apm.{zone}"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"resources": None},
        {"resources": []},
        {"resources": {}},
        {"resources": {"elasticsearch": None}},
        {"resources": {"elasticsearch": [None, {}]}},
        {"resources": {"elasticsearch": [{"info": None}]}},
        {"resources": {"elasticsearch": [{"info": {"metadata": None}}]}},
        {"resources": {"elasticsearch": [{"info": {"metadata": {"endpoint": None, "services_urls": None}}}]}},
        {"resources": {"elasticsearch": [{"info": {"metadata": {"services_urls": [None, {}, {"service": "x"}]}}}]}},
        {"resources": {"elasticsearch": [{"info": {"metadata": {"cloud_id": "d:ZWFzdHVzMi5henVyZQ=="}}}]}},
    ],
)
def test_what_is_missing_or_null_gives_no_url_and_no_error(document: dict[str, Any]) -> None:
    assert private_urls(document) == ()
    assert region_of(document) is None


@pytest.mark.parametrize(
    "public",
    [
        "",
        "d.es.eastus2.aws.found.io",
        "d.es.us-east-1.aws.elastic-cloud.com",
        "eastus2.azure.elastic-cloud.com",
        "d.es.privatelink.eastus2.azure.elastic-cloud.com",
        "d.es.eastus2.azure.elastic.cloud",
        "d.es.eastus2.azure.elastic-cloud.com.evil.example",
        "d.es.eastus2.azureXelastic-cloud.com",
        "d..es.eastus2.azure.elastic-cloud.com",
        "*.eastus2.azure.elastic-cloud.com",
        "https://[d.es.eastus2.azure.elastic-cloud.com",
        "x" * 64 + ".es.eastus2.azure.elastic-cloud.com",
        ".".join(["x" * 60] * 4) + ".eastus2.azure.elastic-cloud.com",
    ],
)
def test_a_host_outside_the_rule_has_no_private_name(public: str) -> None:
    assert private_host(public) is None


@pytest.mark.parametrize(
    "public",
    [
        "d.es.westus2.azure.elastic-cloud.com",
        "D.ES.WestUS2.azure.elastic-cloud.com.",
        "d.es.westus2.azure.elastic-cloud.com:9243",
        "https://d.es.westus2.azure.elastic-cloud.com:443/path?x=1",
    ],
)
def test_urls_ports_and_case_do_not_matter(public: str) -> None:
    assert private_host(public) == "d.es.privatelink.westus2.azure.elastic-cloud.com"


def test_private_names_of_all_hosted_regions_are_in_the_regions_zone() -> None:
    hosts = [
        (private_host(f"d.es.{service.region}.azure.elastic-cloud.com"), service.zone)
        for service in shipped_services().of_family(Family.HOSTED)
    ]
    assert hosts
    assert all(host == f"d.es.{zone}" for host, zone in hosts)


def test_the_name_that_tests_a_path_is_in_the_zone() -> None:
    zone = "privatelink.eastus2.azure.elastic-cloud.com"
    assert path_test_host(zone).endswith(f".{zone}")


def test_the_region_is_elasticsearchs_and_as_the_api_spells_it() -> None:
    resources = {"kibana": [{"region": "azure-westus2"}], "elasticsearch": [{"region": "azure-eastus2"}]}
    assert region_of({"resources": resources}) == "azure-eastus2"
    assert region_of({"resources": {"kibana": [{"region": "azure-westus2"}], "elasticsearch": None}}) == "azure-westus2"


def test_the_region_is_also_found_in_the_short_form_of_the_deployments_list() -> None:
    resources = [{"kind": "kibana", "region": "k"}, {"kind": "elasticsearch", "region": "azure-eastus2"}, None]
    assert region_of({"resources": resources}) == "azure-eastus2"
