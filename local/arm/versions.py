"""API versions each resource type knows (public list: Azure/bicep-types-az, plus the defaults of the Python SDKs)."""

from __future__ import annotations

from local.arm.errors import ArmError

_NETWORK = (
    *("2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01", "2019-09-01", "2019-11-01", "2019-12-01"),
    *("2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01", "2020-08-01", "2020-11-01"),
    *("2021-02-01", "2021-03-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01", "2022-07-01"),
    *("2022-09-01", "2022-11-01", "2023-02-01", "2023-04-01", "2023-05-01", "2023-06-01", "2023-09-01"),
    *("2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01"),
    *("2025-03-01", "2025-05-01", "2025-07-01", "2025-09-01", "2026-01-01", "2026-03-01"),
)
_PRIVATE_DNS = ("2018-09-01", "2020-01-01", "2020-06-01", "2024-06-01")
_TAGS = (
    *("2019-10-01", "2020-06-01", "2020-08-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01", "2023-07-01"),
    *("2024-03-01", "2024-07-01", "2024-11-01", "2025-03-01", "2025-04-01"),
)


def versions_of(kind: str) -> tuple[str, ...]:
    """The api-versions of a resource type, oldest first."""
    if kind == "tags":
        return _TAGS
    return _PRIVATE_DNS if kind.startswith("privateDns") else _NETWORK


def check_version(version: str | None, kind: str) -> None:
    """Refuse a request without an api-version, or with one that its resource type does not have."""
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    known = versions_of(kind)
    if version not in known:
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location 'global' and API version '{version}' for type "
            f"'{kind}'. The supported api-versions are '{', '.join(known)}'. The supported locations are 'global'.",
        )
