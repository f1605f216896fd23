"""The regions that have Private Link for projects, as the metadata call tells of them; used by `ServerlessCloud`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple


class ServerlessRegion(NamedTuple):
    """A region with Private Link for projects."""

    region: str
    """Of Azure: without Elastic's `azure-`."""
    alias: str
    zone: str


ONLY_IN_METADATA = tuple(
    ServerlessRegion(
        region,
        f"{region}-prod-privatelink-serverless.{guid}.{region}.azure.privatelinkservice",
        f"private.{region}.azure.elastic.cloud",
    )
    for region, guid in (
        ("brazilsouth", "5b0e1c8a-3f3d-4a6e-9d0c-1a7c0f3b9e21"),
        ("swedencentral", "c2a94f60-7d15-4be8-8f37-60d2b1e4a935"),
    )
)
"""Regions that came after Elastic's guide was last read: the aliases' GUIDs are made up, as the guide has none yet."""


class RegionNames(Collection[str]):
    """The names of regions in a list that may grow."""

    def __init__(self, regions: list[ServerlessRegion]) -> None:
        self._regions = regions

    def __contains__(self, name: object) -> bool:
        return any(one.region == name for one in self._regions)

    def __iter__(self) -> Iterator[str]:
        return (one.region for one in self._regions)

    def __len__(self) -> int:
        return len(self._regions)
