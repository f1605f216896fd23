"""The secrets of a vault: versions, soft delete, recovery, purge. Pure of HTTP; used by `cloud`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

DAYS = 90
"""How long a deleted secret can be recovered."""


@dataclass(slots=True)
class Version:
    """One version of a secret."""

    id: str
    value: str
    created: datetime
    updated: datetime
    enabled: bool = True
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Secret:
    """A secret with its versions, oldest first; `deleted`: when."""

    name: str
    versions: list[Version] = field(default_factory=list)
    deleted: datetime | None = None

    def version(self, wanted: str = "") -> Version | None:
        """A version by its id, else the newest."""
        return next((one for one in reversed(self.versions) if wanted in {"", one.id}), None)


class Store:
    """All secrets by name, whose case does not matter."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._secrets: dict[str, Secret] = {}

    def find(self, name: str, *, deleted: bool = False) -> Secret | None:
        """A secret that is there, or one that is deleted and can be recovered."""
        found = self._secrets.get(name.lower())
        return found if found is not None and (found.deleted is not None) is deleted else None

    def all(self, *, deleted: bool = False) -> list[Secret]:
        """In the order of their names."""
        found = (secret for _, secret in sorted(self._secrets.items()))
        return [secret for secret in found if (secret.deleted is not None) is deleted]

    def add(self, name: str, now: datetime, body: dict[str, Any]) -> Version:
        """A new version, of a new secret where there is none."""
        secret = self._secrets.setdefault(name.lower(), Secret(name))
        version = Version(f"{self._random.getrandbits(128):032x}", str(body["value"]), now, now)
        secret.versions.append(version)
        change(version, now, body)
        return version

    def purge(self, name: str) -> None:
        """Forget it for good."""
        del self._secrets[name.lower()]


def change(version: Version, now: datetime, body: dict[str, Any]) -> None:
    """What a PUT or PATCH says besides the value."""
    attributes = body.get("attributes") or {}
    version.updated = now
    version.enabled = bool(attributes.get("enabled", version.enabled))
    version.content_type = body.get("contentType", version.content_type)
    version.tags = body.get("tags") or version.tags


def bundle(base: str, secret: Secret, version: Version, *, with_value: bool) -> dict[str, Any]:
    """A version as the service shows it; lists show no value and, like a deletion's answer, name no version."""
    shown: dict[str, Any] = {
        "id": f"{base}/secrets/{secret.name}" + (f"/{version.id}" if with_value else ""),
        "attributes": {
            "enabled": version.enabled,
            "created": int(version.created.timestamp()),
            "updated": int(version.updated.timestamp()),
            "recoveryLevel": "Recoverable",
            "recoverableDays": DAYS,
        },
    }
    if with_value:
        shown["value"] = version.value
    if version.content_type is not None:
        shown["contentType"] = version.content_type
    if version.tags:
        shown["tags"] = version.tags
    if secret.deleted is not None:
        shown["recoveryId"] = f"{base}/deletedsecrets/{secret.name}"
        shown["deletedDate"] = int(secret.deleted.timestamp())
        shown["scheduledPurgeDate"] = int((secret.deleted + timedelta(days=DAYS)).timestamp())
    return shown
