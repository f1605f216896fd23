"""What a person can try once the story is told, as lines for a shell. Called by `local.cli.story`.

`local` is the beginning of each command: `.venv/bin/python -m local`, with the instance's folder where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.cli.app_settings import APP_SETTINGS
from local.world import HUB_VNET

_APPS = HUB_VNET.rsplit("/", 1)[-1]
_WIDTH = 36
SPOKES = ("vnet-peered", "vnet-routed", "vnet-apart")
HUB = "vnet-dns"
REGIONS = ("australiaeast", "centralus")


def first_tries(local: str, connection: Mapping[str, Any]) -> list[str]:
    """The story's connection, and others beside it."""
    swept, grace = APP_SETTINGS["HEALTH_SCHEDULE"], APP_SETTINGS["REMOVAL_GRACE_SECONDS"]
    return _lines(
        local,
        (
            (f"rest DELETE '{connection['zone']['id']}/A/*'", f"and watch it come back: the sweep runs at {swept}"),
            ("connect uksouth", "a second endpoint, in another region"),
            ("connect westeurope --target search-westeurope", "refused, and why"),
            ("connect eastus2 --serverless", "a Serverless project: the second family, with a zone of its own"),
            ("connect swedencentral --serverless", "in a region that only Elastic's metadata knows"),
            ("connect uksouth --name pe-two", "one more of the same region, in a network of its own"),
            ("network", "the networks; make more, route them, put a firewall between"),
            ("vault set elastic-api-key wrong", "the app says so within five minutes; `mend key` ends it"),
            ("break association", "or link, alias, key, ...: docs/local.md"),
            (f"rest DELETE '{connection['endpointId']}'", f"after {grace} s of grace all goes, in order"),
            ("status", "every connection in one line"),
        ),
    )


def several_networks(local: str) -> list[str]:
    """Three networks with endpoints of two regions: each asks Azure, then a hub answers for all of them."""
    peered, routed, apart = SPOKES
    every, regions = " ".join(SPOKES), " ".join(REGIONS)
    into = " ".join(f"--network {name}" for name in SPOKES)
    return _lines(
        local,
        (
            (f"network {peered} --peer {_APPS}", "peered with the app's network"),
            (f"network {routed} --routed {_APPS}", "reached through a firewall, with no peering"),
            (f"network {apart}", "the app has no way there"),
            (f"connect {regions} {into}", "all Ready, those with a way tested"),
            (f"network {HUB} --prefix 10.60", "a hub, with a resolver at 10.60.0.4"),
            (f"setting DNS_LINK_VNETS={HUB}", "linked to a zone of each region; nothing else changes"),
            (f"network {every} --dns-servers 10.60.0.4 --peer {HUB}", "it answers: one of each region is Ready"),
            ("setting DNS_RECORD_MODE=union", "one record with all addresses: all Ready"),
        ),
    )


def _lines(local: str, tries: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{local} {command:<{_WIDTH}} # {comment}" for command, comment in tries]
