"""How a setting is declared: its name, how its text is read, its default, and why it exists. Used by the groups."""

from __future__ import annotations

import dataclasses
from typing import Any

from shared.core.options.values import Parser


def setting(
    name: str,
    parse: Parser,
    default: str | None,
    about: str,
    *,
    secret: bool = False,
    deployed: bool = False,
    unless: str = "",
) -> Any:
    """A field of a group of settings; `default` is a text as an operator would write it, None where one is required.

    `deployed`: the templates have a parameter for it, so that it is chosen at the deployment. `unless`: the setting
    that may stand in place of a required one.
    """
    metadata = {
        "name": name,
        "parse": parse,
        "default": default,
        "about": about,
        "secret": secret,
        "deployed": deployed,
        "unless": unless,
    }
    if default is None:
        return dataclasses.field(metadata=metadata, repr=not secret)
    return dataclasses.field(default=parse(default), metadata=metadata, repr=not secret)
