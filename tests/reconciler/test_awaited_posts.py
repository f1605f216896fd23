"""A policy seems a target's last one while the POST of another may still land: that is waited for, not Blocked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.estate import Estate
from tests.reconciler.safety_parts import attached, the

TARGET = "search-eastus2"
"""A deployment without any policy of others."""
WISH = {"elastic-deployments": TARGET}


async def a_post_that_lands_late(estate: Estate, seconds: float) -> tuple[str, str]:
    """pe-1 is associated; the POST for pe-2 is answered 503 and applied later."""
    leaves = await estate.put_endpoint("pe-1", tags=WISH)
    await estate.settle()
    await estate.clock.sleep(3600)

    def late(method: str, path: str) -> tuple[int, Any] | None:
        if method != "POST" or not path.endswith("/associations"):
            return None
        policy = next(one for one in estate.elastic.rulesets() if one.id in path)
        estate.elastic_settings.faults.clear()
        estate.clock.call_later(seconds, lambda: _apply(estate, policy))
        return 503, "the gateway gave up"

    estate.elastic_settings.faults.append(late)
    comes = await estate.put_endpoint("pe-2", tags=WISH)
    await estate.settle(20)
    return leaves, comes


def _apply(estate: Estate, policy: Any) -> None:
    target = the(estate, TARGET).id
    if (policy.id, target) not in estate.elastic.associations():
        estate.elastic.associate(policy, target)


@pytest.mark.parametrize("removal", [True, False])
async def test_it_waits_with_an_end_and_goes_then(*, removal: bool) -> None:
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": TARGET, "REMOVAL_GRACE_SECONDS": "0"}).open()
    leaves, comes = await a_post_that_lands_late(estate, 500)
    estate.worker = estate.new_worker(ELASTIC_DEPLOYMENTS_ALLOWED="")  # nothing is sent for pe-2 meanwhile
    if removal:
        await estate.delete(leaves)
    else:
        found = estate.arm.private_endpoint(leaves)
        assert found is not None
        found.tags.pop("elastic-deployments")
        await estate.send(leaves)
    await estate.settle(30)
    condition = "Removed" if removal else "Associated"
    assert await estate.reason(leaves, condition) == "AwaitingEarlierRequest"
    assert (await estate.connection(leaves)).status.phase != "Blocked"
    assert attached(estate, the(estate, TARGET)) == ["pe-1"]
    await estate.settle(1800)
    assert attached(estate, the(estate, TARGET)) == ["pe-2"]
    del comes
