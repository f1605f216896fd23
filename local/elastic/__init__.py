"""Elastic Cloud on one machine: its API, its approval of private endpoints, and its proxy's answer to a request.

Used by `local.simulators` and by tests. `ElasticCloud` is the whole of it; everything else is a part of that class.
"""

from __future__ import annotations

from local.elastic.cloud import ElasticCloud
from local.elastic.deployments import Deployment
from local.elastic.history import HistoryEvent
from local.elastic.model import EndpointDirectory, PrivateEndpointView, ProxyAnswer, RequestRecord, Ruleset
from local.elastic.settings import ElasticSettings

__all__ = [
    "Deployment",
    "ElasticCloud",
    "ElasticSettings",
    "EndpointDirectory",
    "HistoryEvent",
    "PrivateEndpointView",
    "ProxyAnswer",
    "RequestRecord",
    "Ruleset",
]
