"""An installation whose endpoints all lead to one family: it asks nothing of the other, and needs no role there."""

from __future__ import annotations

from typing import Any

import pytest

from shared.api.doctor import examine
from shared.core.model.services import Family
from shared.core.reports.doctor.findings import Level
from tests.harness.estate import Estate
from tests.harness.leaving import everything, work_for

OTHERS = {Family.HOSTED: "/serverless/", Family.SERVERLESS: "/deployments"}
"""What is in the paths of the other family's API."""
WORDS = {Family.HOSTED: "project", Family.SERVERLESS: "deployment"}


@pytest.mark.both_families
async def test_nothing_is_asked_of_the_other_family_in_all_of_an_endpoints_life(estate: Estate) -> None:
    """All that is asked there is refused: the sweep or the doctor would tell it."""
    other = OTHERS[estate.family]

    def no_role(_: str, path: str) -> tuple[int, Any] | None:
        return (403, {"errors": [{"code": "root.forbidden", "message": "no role"}]}) if other in path else None

    estate.elastic_settings.faults.append(no_role)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    assert (await estate.sweep()).errors == []
    report = await examine(estate.worker.context)
    about_elastic = [one for one in report.findings if one.check.startswith("elastic")]
    assert {one.level for one in about_elastic} == {Level.OK}
    assert not [one.what for one in about_elastic if WORDS[estate.family] in one.what]
    await estate.delete(endpoint)
    await work_for(estate, 1800)
    assert (await estate.sweep()).errors == []
    assert everything(estate) == []
    assert [one.path for one in estate.elastic.requests if other in one.path] == []
