"""The table of Elastic's services that comes with the app. Read by `load`, by the simulators and by tests."""

from __future__ import annotations

from importlib import resources

from shared.core.model.services import Services, parse_services


def shipped_table() -> str:
    """The text of `services.csv`, a row for each service."""
    return resources.files("shared.core.model").joinpath("services.csv").read_text(encoding="utf-8")


def shipped_services() -> Services:
    """The services that this version knows."""
    return parse_services(shipped_table())
