"""docs/networks.md names settings that there are, and the network that the templates really make."""

from __future__ import annotations

import re
from pathlib import Path

from shared.settings import table
from tests.infra.paper_choices import HOME, deployed, properties

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")


def test_every_setting_that_the_page_names_is_one() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE))
    assert {"DNS_LINK_VNETS", "DNS_ZONE_RESOURCE_GROUPS", "DNS_RECORD_MODE", "APP_VNET"} <= named
    assert named <= {setting.name for setting in table()}


def test_the_apps_network_is_where_the_page_says() -> None:
    (shown,) = re.findall(r"^/subscriptions/<subscription>/.+$", PAGE, re.MULTILINE)
    (settings,) = properties(deployed("default", environment="first"), "Microsoft.Web/sites/config")
    assert settings["APP_VNET"] == shown.replace("<subscription>", HOME).replace("<name>", "first")


def test_the_apps_network_is_linked_when_it_is_listed_and_gets_no_role_twice() -> None:
    (settings,) = properties(deployed("default"), "Microsoft.Web/sites/config")
    asked = deployed("default", dnsLinkVnets=settings["APP_VNET"])
    (linked,) = properties(asked, "Microsoft.Web/sites/config")
    assert linked["DNS_LINK_VNETS"] == linked["APP_VNET"]
