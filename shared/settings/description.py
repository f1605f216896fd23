"""One row of the table of names: a setting, or a choice of the deployment. Used by `settings` and `table`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Description:
    """One name, the same for app, azd, pages and messages."""

    name: str
    default: str | None
    about: str
    secret: bool = False
    deployed: bool = False
    """Whether it is chosen at the deployment; other settings of the app are given there by `appSettings`."""
    group: str = ""
    field: str = ""
    """Where its value is: an attribute of this group of `Settings`; empty: a choice of the deployment alone."""
    parameter_of_azd: str = ""
    """Its Bicep parameter where azd expects another than the name in camelCase."""

    @property
    def parameter(self) -> str:
        """Its Bicep parameter: the name in camelCase."""
        first, *others = self.name.lower().split("_")
        return self.parameter_of_azd or first + "".join(word.capitalize() for word in others)
