"""A connection's record as JSON, and back: what the table holds. Used by the use cases that read or store a record.

A record that an older version of the app wrote is migrated when it is read; one of a newer version is refused, because
writing it back would lose what this version does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared.core.model.errors import InvalidInput
from shared.core.model.record import SCHEMA, Connection

if TYPE_CHECKING:
    from cattrs import Converter


class UnreadableRecord(InvalidInput):
    """A record that this version of the app cannot read; no caller's fault."""


def migrated(document: Mapping[str, Any], schema: int) -> Mapping[str, Any]:
    """The document as this version would have written it; it is stored so with the next write."""
    for version in range(schema, SCHEMA):
        document = _MIGRATIONS[version](document)
    return document


def _from_1(old: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 2 remembers the GUID of the policy's rule, and whether an association was ever listed."""
    policy = dict(old.get("policy") or {})
    if policy.get("id"):
        policy["guid"] = old.get("guid") or ""
    # Before, an association was remembered as ours or adopted only once it stood.
    associations = [{**known, "seen": bool(known.get("owner"))} for known in old.get("associations") or []]
    return {**old, "policy": policy, "associations": associations, "schema": 2}


_MIGRATIONS = {1: _from_1}


@cache
def _converter() -> Converter:
    # Loaded when first used: a trigger that only enqueues starts without it.
    from cattrs.preconf.json import make_converter  # noqa: PLC0415 - see above

    return make_converter()


def to_document(connection: Connection) -> dict[str, Any]:
    """The record as JSON values."""
    return cast("dict[str, Any]", _converter().unstructure(connection))


def from_document(document: Mapping[str, Any]) -> Connection:
    """Read a record back; raises UnreadableRecord for one that a newer version of the app wrote, or a damaged one."""
    schema = document.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise UnreadableRecord(
            f"This connection's record has schema {schema}; this version of the app knows {SCHEMA} and older ones.",
            on=str(document.get("endpoint_id", ""))[:300],
            next_step="Deploy the newer version of the app again.",
        )
    from cattrs.errors import BaseValidationError  # noqa: PLC0415 - see _converter

    try:
        return _converter().structure(migrated(document, schema), Connection)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(
            "This connection's record is damaged.",
            on=str(document.get("endpoint_id", ""))[:300],
            next_step="Delete the row; the next sweep rebuilds it from Azure and Elastic.",
        ) from error
