"""AzureWebJobsStorage settings: what they must be, and where the state is by them. Pure.

Read by `settings`, which is loaded with the app and so must not load what `connect` needs, and by `connect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SETTING = "AzureWebJobsStorage"

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
"""For one request to storage, its body included; the SDK repeats it at most twice."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where the state is: a connection string, or two endpoints and an identity (None: the system-assigned one)."""

    connection_string: str | None = field(default=None, repr=False)
    table_endpoint: str = ""
    queue_endpoint: str = ""
    client_id: str | None = None


def storage_settings(environ: Mapping[str, str]) -> tuple[StorageSettings, tuple[str, ...]]:
    """The settings, and everything that is wrong with them, each naming its setting. A pure function.

    As for the Functions host, the connection string wins where both kinds are given.
    """
    connection_string = environ.get(SETTING, "").strip()
    if connection_string:
        return StorageSettings(connection_string), tuple(_connection_string_problems(connection_string))
    account = environ.get(f"{SETTING}__accountName", "").strip()
    uris = {kind: environ.get(f"{SETTING}__{kind}ServiceUri", "").strip().rstrip("/") for kind in ("table", "queue")}
    if not account and not any(uris.values()):
        return StorageSettings(), (f"{SETTING}: expected a connection string, or {SETTING}__accountName; not set",)
    problems = [problem for kind, uri in uris.items() if (problem := _uri_problem(kind, uri, account))]
    endpoints = {kind: uri or f"https://{account}.{kind}.core.windows.net" for kind, uri in uris.items()}
    credential = environ.get(f"{SETTING}__credential", "managedidentity").strip()
    if credential.lower() != "managedidentity":
        problems.append(f"{SETTING}__credential: expected 'managedidentity'; got '{credential}'")
    client_id = environ.get(f"{SETTING}__clientId", "").strip() or None
    return StorageSettings(None, endpoints["table"], endpoints["queue"], client_id), tuple(problems)


def _uri_problem(kind: str, uri: str, account: str) -> str | None:
    expected = f"{SETTING}__{kind}ServiceUri: expected https://ACCOUNT.{kind}.core.windows.net"
    if not uri:
        return None if account else f"{expected}, or {SETTING}__accountName; not set"
    try:
        parts = urlsplit(uri)
        # A token is only ever sent over TLS; a query would be a SAS: a secret, which belongs in a connection string.
        good = parts.scheme == "https" and parts.hostname and not parts.query and (parts.port or True)
    except ValueError:  # brackets without an IPv6 address, a port that is none
        good = False
    return None if good else f"{expected}, with https and without a query"


def _connection_string_problems(text: str) -> list[str]:
    """What is wrong with a connection string, without quoting any of it."""
    if text.rstrip(";").lower() == "usedevelopmentstorage=true":
        return []
    parts = [part.partition("=") for part in text.rstrip(";").split(";")]
    if not all(equals for _, equals, _ in parts):
        return [f"{SETTING}: expected a connection string (Name=value;Name=value)"]
    names = {name.strip().lower() for name, _, value in parts if value}
    problems = []
    if not ({"accountname", "accountkey"} <= names or "sharedaccesssignature" in names):
        problems.append(f"{SETTING}: expected AccountName and AccountKey, or SharedAccessSignature, in it")
    if not ("accountname" in names or {"tableendpoint", "queueendpoint"} <= names):
        problems.append(f"{SETTING}: expected AccountName, or TableEndpoint and QueueEndpoint, in it")
    return problems
