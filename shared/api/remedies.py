"""What a person runs about a reason on one connection: the remedy's lines with what is known of it filled in. Pure.

Used by `views`, for each condition, verdict and piece of advice. What only a person can know stays a placeholder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.core.diagnosis import Diagnosis
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.errors import InvalidInput
from shared.core.model.organizations import key_secret
from shared.core.model.record import ConnectionRecord
from shared.core.model.services import Family
from shared.core.reasons import catalogue
from shared.core.reasons.commands import filled
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class RemedyView:
    """What a person runs, in order; or a page of Azure's, where only Azure can help."""

    commands: tuple[str, ...]
    only_in_azure: str


def names_of(record: ConnectionRecord, settings: Settings) -> dict[str, str]:
    """What the placeholders stand for that are the same for every reason of a connection."""
    identity = record.identity
    vault = urlsplit(settings.elastic.key_vault_uri).hostname or ""
    names = {
        "connection": record.id,
        "endpoint id": record.endpoint_id,
        "endpoint": identity.name,
        "alias": identity.alias,
        "location": identity.location,
        "client id": settings.azure.client_id,
        "vault": vault.partition(".")[0],
        "secret": key_secret(record.elastic.organization),
    }
    try:
        names["group"] = parse_arm_id(record.endpoint_id).resource_group
        zone = None if record.dns.zone is None else parse_arm_id(record.dns.zone.id)
    except InvalidInput:
        return names
    return names if zone is None else names | {"zone": zone.name, "zone group": zone.resource_group}


def remedy_view(
    told: Condition | Diagnosis | Explanation, record: ConnectionRecord, names: Mapping[str, str]
) -> RemedyView | None:
    """The remedy of one case; None: there is nothing to run."""
    entry = catalogue().get(told.reason)
    if entry is None:
        return None
    lines = entry.project_commands if record.identity.family is Family.SERVERLESS else entry.commands
    cases = [{**names, **dict(one)} for one in told.about] or [dict(names)]
    commands = dict.fromkeys(filled(line, case) for case in cases for line in lines)
    return RemedyView(tuple(commands), entry.only_in_azure) if commands or entry.only_in_azure else None
