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
