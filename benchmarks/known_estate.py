"""A large estate whose endpoints are all on record as Ready, made without a run for each. Used by `large_sweep.py`.

One endpoint is connected as the app does it; its record stands for all others, with their ids in it, each with a
deployment of its own.
"""

from __future__ import annotations

import json
from typing import Any

from local.arm import DEFAULT_SUBSCRIPTION
from local.elastic import ElasticSettings
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import from_document, to_document
from shared.state import codec
from shared.state.rows import ConnectionRow
from tests.harness.dns import DNS_API
from tests.harness.estate import HOSTED, Estate
from tests.scale.estates import large_estate


async def known_estate(endpoints: int, subscriptions: int) -> Estate:
    """Of each endpoint a record and a policy; in each subscription one zone of the names that are needed."""
    model = await Estate().open()
    endpoint = await model.put_endpoint()
    await model.settle()
    record = await model.ready(endpoint)
    text = json.dumps(to_document(record))

    estate = await large_estate(endpoints, subscriptions)
    estate.elastic_settings.max_rulesets = ElasticSettings().max_rulesets + endpoints
    services = {service.alias: service for service in HOSTED}
    zoned = set[str]()
    for number, one in enumerate(estate.arm.private_endpoints()):
        service = services[one.connection.service]
        rule = {"azure_endpoint_guid": one.resource_guid, "azure_endpoint_name": f"pe-{number}"}
        policy = estate.elastic.add_endpoint_policy(f"pl-{number}", service.region, [rule])
        subscription, name = one.id.split("/")[2], one.id.rpartition("/")[2]
        known = from_document(
            json.loads(
                _with(
                    text,
                    {
                        record.endpoint_id: one.id,
                        record.identity.vnet_id: one.subnet.parent.id,
                        record.identity.vnet_id.lower(): one.subnet.parent.id.lower(),
                        record.identity.guid: one.resource_guid,
                        record.identity.alias: service.alias,
                        record.identity.address: one.address or "10.1.0.4",
                        record.elastic.policy.id: policy.id,
                        f'"{record.identity.name}"': f'"{name}"',
                        DEFAULT_SUBSCRIPTION: subscription,
                        record.identity.region: service.region,
                        **_own_target(record, number),
                    },
                )
            )
        ).with_identity(location=record.identity.location)
        await estate.storage.connections.insert(codec.holding(ConnectionRow(known.id), known))
        if subscription not in zoned:
            zoned.add(subscription)
            group = one.id.partition("/providers/")[0]
            zone = f"{group}/providers/Microsoft.Network/privateDnsZones/{service.zone}"
            await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(600)
    return estate


def _own_target(record: ConnectionRecord, number: int) -> dict[str, str]:
    """Each endpoint leads to a deployment of its own, as far as its record tells: its id, and its hosts' names."""
    (target,), mark = record.elastic.targets, f"{number:06x}"
    by_id = {url.by_id.partition(".")[0] for url in target.urls}
    return {one: f"{mark}{one[6:]}" for one in (target.id, *by_id)} | {f"-{target.id[:6]}.": f"-{mark}."}


def _with(text: str, changes: dict[str, str]) -> str:
    """The text with each of these in another's place."""
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def page(estate: Estate, after: str) -> tuple[list[Any], str]:
    """A page of rows as the table holds them, and after which row the next one begins."""
    stored = estate.storage.connections.stored
    left = sorted(key for key in stored if key > after)
    rows = [tuple(stored[key]) for key in left[: codec.PAGE]]
    return rows, left[codec.PAGE - 1] if len(left) > codec.PAGE else ""
