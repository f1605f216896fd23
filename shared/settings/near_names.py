"""Variables of the environment whose name is nearly a setting's: most likely a setting that does nothing. Pure.

Used by `load`, for doctor, and by `app`, for the log. Names that azd, Azure or the Functions host set are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

NEAR = 0.9
"""How alike two names are, by difflib: one letter wrong in ten, two in twenty; a name of four letters must be right."""

_PREFIXES = (
    "APPINSIGHTS_",
    "APPLICATIONINSIGHTS_",
    "APPSETTING_",
    "AUTOPILOT_",
    "AZD_",
    "AZUREWEBJOBS",
    "FUNCTIONS_",
    "IDENTITY_",
    "MSI_",
    "SCM_",
    "SERVICE_",
    "WEBSITE_",
)
# Of AZURE_ only the names themselves: our scope is set by names with this prefix, and there a slip opens a fence.
_NAMES = frozenset(
    {
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_SECRET",
        "AZURE_ENV_NAME",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_LOCATION",
        "AZURE_PRINCIPAL_ID",
        "AZURE_RESOURCE_GROUP",
        "AZURE_RESOURCE_GROUP_ID",
        "AZURE_RESOURCE_GROUP_NAME",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_SUBSCRIPTION_NAME",
        "AZURE_TENANT_ID",
        "AZURE_TENANT_IDS",
    }
)


@dataclass(frozen=True, slots=True)
class NearName:
    """A variable that is no setting, and the setting that may have been meant."""

    given: str
    meant: str

    def __str__(self) -> str:
        """For the log and for doctor."""
        return f"{self.given} is no setting of this app and does nothing; did you mean {self.meant}?"


def near_names(given: Iterable[str], known: Iterable[str]) -> tuple[NearName, ...]:
    """Those of the names `given` that are nearly one of `known`, and are set by a person."""
    settings = set(known)
    strange = sorted(name for name in given if name not in settings and not _is_set_by_platform(name.upper()))
    found = ((name, get_close_matches(name.upper(), sorted(settings), n=1, cutoff=NEAR)) for name in strange)
    return tuple(NearName(name, meant[0]) for name, meant in found if meant)


def _is_set_by_platform(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)
