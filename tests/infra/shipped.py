"""What `infra/` ships, as data: roles, names, queries, templates. Read by the tests here and by the end-to-end ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from local.arm import RoleAssignment

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
READER, NETWORK_READER, WRITER, REMOVER = ROLES = ("endpointReader", "networkReader", "dnsWriter", "dnsRemover")
BUILT_IN_TITLES = {
    "storageBlobDataOwner": "Storage Blob Data Owner",
    "storageQueueDataContributor": "Storage Queue Data Contributor",
    "storageTableDataContributor": "Storage Table Data Contributor",
    "keyVaultSecretsUser": "Key Vault Secrets User",
    "monitoringMetricsPublisher": "Monitoring Metrics Publisher",
    "blobDataContributor": "Storage Blob Data Contributor",
    "queueMessageSender": "Storage Queue Data Message Sender",
    "eventGridDataSender": "EventGrid Data Sender",
}
BUILT_IN = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "queueMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "blobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "eventGridDataSender": "d5a91429-5739-47e2-a06b-3470a27159e7",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""


def load(name: str) -> dict[str, Any]:
    """A JSON file of `infra/`."""
    return dict(json.loads((INFRA / name).read_text(encoding="utf-8")))


def load_list(name: str) -> list[str]:
    """A JSON file of `infra/` that lists names."""
    return list(json.loads((INFRA / name).read_text(encoding="utf-8")))


def parameter_file() -> dict[str, str]:
    """What `infra/main.bicepparam` gives each parameter, as it stands there."""
    return dict(re.findall(r"^param (\w+) = (.+)$", bicep("main.bicepparam"), re.MULTILINE))


def bicep(name: str) -> str:
    """A template's text without its comments."""
    text = (INFRA / name).read_text(encoding="utf-8")
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


@cache
def actions(role: str) -> tuple[str, ...]:
    """The actions of a shipped role."""
    return tuple(load("roles.json")[role]["actions"])


def assignments(
    *,
    read: Iterable[str],
    write: Iterable[str],
    link: Iterable[str],
    app: str,
    allow_delete: bool = True,
    without: Iterable[str] = (),
) -> list[RoleAssignment]:
    """The role assignments that main.bicep makes for these scopes; `app`: its network; `without`: actions left out."""
    read, write, link, left_out = tuple(read), tuple(write), tuple(link), tuple(without)
    places = {
        READER: (*read, *link),
        NETWORK_READER: dict.fromkeys((*read, *link, app)),
        WRITER: write,
        REMOVER: write if allow_delete else (),
    }
    return [RoleAssignment(scope, actions(role), left_out) for role, scopes in places.items() for scope in scopes]


def everywhere() -> list[RoleAssignment]:
    """All actions of the shipped roles, everywhere: an identity with these can do nothing that no role grants."""
    return [RoleAssignment("/", actions(role)) for role in ROLES]
