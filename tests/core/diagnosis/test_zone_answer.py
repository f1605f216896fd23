"""What a zone answers for a name: its `*` record, unless a name of its own hides it (RFC 4592)."""

from __future__ import annotations

import pytest

from shared.core.diagnosis.evidence import ZoneAnswer, authoritative
from shared.core.model.resources import NamedRecords

ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
STAR = ("10.0.0.4",)


def names(**addresses: str) -> tuple[NamedRecords, ...]:
    """Names of a zone; `__` stands for a dot, `ANY` for `*`, and empty addresses for records of other types."""
    return tuple(
        NamedRecords(name.replace("__", ".").replace("ANY", "*"), tuple(filter(None, address.split())))
        for name, address in addresses.items()
    )


@pytest.mark.parametrize(
    ("host", "known", "expected"),
    [
        ("logs.es", names(), ZoneAnswer(STAR)),
        ("logs.es", names(other="10.9.9.9", logs__kb="10.9.9.8"), ZoneAnswer(STAR)),
        ("logs.es", names(neighbour__es="10.9.9.9"), ZoneAnswer((), "es")),
        ("logs.kb", names(neighbour__es="10.9.9.9"), ZoneAnswer(STAR)),
        ("logs.es", names(es="10.9.9.9"), ZoneAnswer((), "es")),
        ("es", names(neighbour__es="10.9.9.9"), ZoneAnswer((), "es")),
        ("logs.es", names(logs__es="20.1.2.3"), ZoneAnswer(("20.1.2.3",), "logs.es")),
        ("LOGS.es", names(Logs__ES="20.1.2.3"), ZoneAnswer(("20.1.2.3",), "logs.es")),
        ("logs.es", names(logs__es=""), ZoneAnswer((), "logs.es")),
        ("logs.es", names(ANY__es="10.9.9.7"), ZoneAnswer(("10.9.9.7",), "es")),
        ("logs.es", names(ANY__es="10.9.9.7", logs__es="10.9.9.8"), ZoneAnswer(("10.9.9.8",), "logs.es")),
        ("deep.logs.es", names(logs__es="10.9.9.8", ANY__es="10.9.9.7"), ZoneAnswer((), "logs.es")),
        ("logs.es", names(es__other="10.9.9.9"), ZoneAnswer(STAR)),
    ],
)
def test_a_name_of_its_own_hides_the_wildcard_for_itself_and_below(
    host: str, known: tuple[NamedRecords, ...], expected: ZoneAnswer
) -> None:
    assert authoritative(f"{host}.{ZONE}", ZONE, STAR, known) == expected
    assert authoritative(f"{host}.{ZONE.upper()}.", ZONE, STAR, known) == expected


def test_without_a_wildcard_and_outside_the_zone_nothing_answers() -> None:
    assert authoritative(f"logs.es.{ZONE}", ZONE, (), ()) == ZoneAnswer()
    assert authoritative("logs.es.example.com", ZONE, STAR, ()) == ZoneAnswer()
    assert authoritative(f"logs.es.not{ZONE}", ZONE, STAR, ()) == ZoneAnswer()
    assert authoritative(f"logs.es.{ZONE}", "", STAR, ()) == ZoneAnswer()
