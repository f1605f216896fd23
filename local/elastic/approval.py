"""Elastic's approval of private endpoints: by a policy that names the endpoint and its GUID; driven by `ElasticCloud`.

Looked at again after every change of a policy and of an endpoint, because either may come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.elastic.model import EndpointDirectory, PrivateEndpointView, serverless_region

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import LoopClock
    from local.elastic.settings import ElasticSettings

_GONE = {"disconnected": "Disconnected", "rejected": "Rejected"}


class Approval:
    """Approves, and by switch rejects or disconnects, the endpoints that connect to Elastic's services."""

    def __init__(
        self,
        clock: LoopClock,
        settings: ElasticSettings,
        endpoints: EndpointDirectory,
        rules_for: Callable[[str | None], list[dict[str, Any]] | None],
    ) -> None:
        """`rules_for`: the rules of the policies that may admit an endpoint of this alias; None: not Elastic's."""
        self._clock = clock
        self._settings = settings
        self._endpoints = endpoints
        self._rules_for = rules_for
        self._under_way: set[str] = set()
        self._approved: set[str] = set()

    def knows(self, rule: dict[str, Any]) -> bool:
        """Whether some endpoint has the name and GUID of this rule."""
        return any(self._matches(rule, endpoint) for endpoint in self._endpoints.private_endpoints())

    def evaluate(self) -> None:
        """Look at every endpoint; decisions take effect after the approval time, if they still hold then."""
        if not self._settings.approves:
            return
        present = set()
        for endpoint in list(self._endpoints.private_endpoints()):
            present.add(endpoint.id)
            if self._decision(endpoint) and endpoint.id not in self._under_way:
                self._under_way.add(endpoint.id)
                self._clock.call_later(self._settings.approval_seconds, self._settle, endpoint.id)
        self._approved &= present

    def _settle(self, endpoint_id: str) -> None:
        self._under_way.discard(endpoint_id)
        endpoint = next((e for e in self._endpoints.private_endpoints() if e.id == endpoint_id), None)
        decision = self._decision(endpoint) if endpoint else None
        if decision is None:
            return
        status, description = decision
        if status == "Approved":
            self._approved.add(endpoint_id)
        else:
            self._approved.discard(endpoint_id)
        self._endpoints.set_connection(endpoint_id, status, description)

    def _decision(self, endpoint: PrivateEndpointView) -> tuple[str, str] | None:
        """The state this endpoint should be given, or None to leave it as it is."""
        rules = self._rules_for(endpoint.alias)
        if rules is None:
            return None
        matched = any(self._matches(rule, endpoint) for rule in rules)
        if endpoint.status == "Pending":
            if matched:
                return "Approved", "Approved by Elastic"
            named = any(rule["azure_endpoint_name"] == endpoint.name for rule in rules)
            if named and self._settings.wrong_guid == "rejected":
                return "Rejected", "The resource GUID does not match"
        elif endpoint.status == "Approved" and endpoint.id in self._approved and not matched:
            gone = _GONE.get(self._settings.ruleset_deleted_while_approved)
            return (gone, "The private connection policy was removed") if gone else None
        return None

    def _matches(self, rule: dict[str, Any], endpoint: PrivateEndpointView) -> bool:
        wanted = (rule["azure_endpoint_name"], rule["azure_endpoint_guid"])
        # Policies of projects take lower-case GUIDs only.
        guid = endpoint.resource_guid
        actual = (endpoint.name, guid.lower() if serverless_region(endpoint.alias) else guid)
        if self._settings.match_case_sensitive:
            return wanted == actual
        return [w.lower() for w in wanted] == [a.lower() for a in actual]
