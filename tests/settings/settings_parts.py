"""What the tests of the settings share: the least environment, and what is said of a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from shared.core.model.errors import InvalidSettings
from shared.settings import Description, descriptions, load

SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns-hub"
VNET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
SECRET = "essu_cH9zdGF5LXNlY3JldA=="
STORAGE_KEY = "c3RvcmFnZS1rZXk="
LEAST = {
    "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
    "EC_API_KEY": SECRET,
    "AzureWebJobsStorage": f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={STORAGE_KEY}",
}


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        load(environ)
    head, *problems = refused.value.what.splitlines()
    assert head == "The app's settings are wrong:"
    assert "docs/settings.md" in refused.value.next_step
    return [problem.strip() for problem in problems]


def value_of(name: str, text: str, **others: str) -> Any:
    (one,) = [one for one in descriptions() if one.name == name]
    return getattr(getattr(load(LEAST | others | {name: text}), one.group), one.field)


def optional() -> list[Description]:
    """All but those of `LEAST`; the key is required only where there is no other."""
    return [one for one in descriptions() if one.default is not None and one.name != "EC_API_KEY"]
