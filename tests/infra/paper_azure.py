"""An Azure on paper, which `paper_bicep` deploys to. What templates ask of a resource that is just made is made up."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

CLOUDS: dict[str, dict[str, Any]] = {
    name: {
        "name": name,
        "resourceManager": f"https://{arm}",
        "authentication": {"loginEndpoint": f"https://{login}/"},
        "suffixes": {"storage": storage, "keyvaultDns": vault},
    }
    for name, arm, login, storage, vault in (
        ("AzureCloud", "management.azure.com/", "login.microsoftonline.com", "core.windows.net", ".vault.azure.net"),
        (
            "AzureUSGovernment",
            "management.usgovcloudapi.net",
            "login.microsoftonline.us",
            "core.usgovcloudapi.net",
            ".vault.usgovcloudapi.net",
        ),
        (
            "AzureChinaCloud",
            "management.chinacloudapi.cn",
            "login.chinacloudapi.cn",
            "core.chinacloudapi.cn",
            ".vault.azure.cn",
        ),
    )
}
"""What `environment()` answers: `az cloud list`."""
STORES = ("blob", "queue", "table")


@dataclass
class Resource:
    """A resource of a template; `body` is what it declares, None of what exists already or is left out."""

    type: str
    name: str
    scope: str
    body: dict[str, Any] | None = None
    api: str = ""
    nested: dict[str, Resource] = field(default_factory=dict)

    @property
    def id(self) -> str:
        if self.type == "Microsoft.Resources/resourceGroups":
            return f"{self.scope}/resourceGroups/{self.name}"
        provider, *kinds = self.type.split("/")
        steps = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, self.name.split("/"), strict=True))
        return f"{self.scope}/providers/{provider}/{steps}"


class Forbidden(Exception):
    """What Azure says to a deployer who has no right to what a template makes."""


@dataclass
class Azure:
    """A cloud, and the resources that were made in it, by id in lower case."""

    cloud: dict[str, Any]
    made: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    """Of the last deployment."""
    contributor: bool = False
    """Whether the deployer has all rights but to give rights: the built-in role Contributor."""

    def make(self, resource: Resource) -> None:
        if self.contributor and resource.type.startswith("Microsoft.Authorization/"):
            raise Forbidden(f"AuthorizationFailed: {resource.type}/write on {resource.scope}")
        assert resource.id.lower() not in self.made, f"made twice: {resource.id}"
        self.made[resource.id.lower()] = resource

    def of(self, kind: str) -> list[Resource]:
        """All resources of a type."""
        return [one for one in self.made.values() if one.type == kind]

    def identity(self, resource: Resource) -> dict[str, Any]:
        """The identity of a resource: its own has an object id; what was not made here has one too."""
        made = self.made.get(resource.id.lower())
        told = (made.body or {}).get("identity") if made else {"type": "SystemAssigned"}
        assert told is not None, f"no identity: {resource.id}"
        own = "SystemAssigned" in told["type"]
        return {"principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, resource.id.lower()))} if own else told

    def properties(self, resource: Resource) -> dict[str, Any]:
        """What Azure would tell of a resource that templates ask for."""
        ends = {kind: f"https://{resource.name}.{kind}.{self.cloud['suffixes']['storage']}/" for kind in STORES}
        return {
            "clientId": str(uuid.uuid5(uuid.NAMESPACE_DNS, resource.id)),
            "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, resource.id)),
            "ConnectionString": f"InstrumentationKey={uuid.uuid5(uuid.NAMESPACE_OID, resource.id)}",
            "defaultHostName": f"{resource.name}.azurewebsites.net",
            "vaultUri": f"https://{resource.name}{self.cloud['suffixes']['keyvaultDns']}/",
            "primaryEndpoints": ends,
            "endpoint": f"https://{resource.name}.eastus2-1.eventgrid.azure.net/api/events",
        }


NAMES = {
    "Microsoft.EventGrid/systemTopics": r"[A-Za-z0-9-]{3,50}",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": r"[A-Za-z0-9-]{3,64}",
    "Microsoft.KeyVault/vaults": r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Network/privateEndpoints": r"\w[\w.-]{0,62}\w",
    "Microsoft.Network/virtualNetworks": r"\w[\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,40}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
}
"""https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules."""


def misnamed(azure: Azure) -> list[str]:
    """Names that Azure would refuse."""
    named = [(one.type, one.name.split("/")[-1]) for one in azure.made.values() if one.type in NAMES]
    return [f"{type_} {name}" for type_, name in named if not re.fullmatch(NAMES[type_], name)]
