"""The commands `deployment` and `approval`: what they ask of backstage."""

from __future__ import annotations

from typing import Any, cast

import pytest

from local.__main__ import parse
from local.cli import deployment_command
from local.cli.client import LocalClient


class Client:
    """A running instance, as far as this goes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def backstage(self, action: str, **asked: Any) -> None:
        self.asked.append((action, asked))


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["logs", "--status", "initializing"], {"status": "initializing"}),
        (
            ["logs", "--product-alias", "fleet=", "--product-alias", "kb=k"],
            {"productAliases": {"fleet": "", "kb": "k"}},
        ),
        (["logs", "--delete"], {"deleted": True, "staysAssociated": False}),
        (["logs", "--delete", "--keep-associations"], {"deleted": True, "staysAssociated": True}),
    ],
)
async def test_a_deployment_is_changed_as_the_command_line_says(arguments: list[str], asked: dict[str, Any]) -> None:
    client = Client()
    await deployment_command.change_deployment(cast("LocalClient", client), parse(["deployment", *arguments]))
    assert client.asked == [("deployment", {"deployment": "logs"} | asked)]


@pytest.mark.parametrize("arguments", [["deployment", "logs", "--product-alias", "fleet"], ["approval", "pe-1"]])
def test_what_is_no_command_is_said(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
