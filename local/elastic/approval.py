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

_Admitted = tuple[frozenset[tuple[str, str]], frozenset[str]] | None

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
        present, rules = set(), dict[str | None, _Admitted]()
        for endpoint in list(self._endpoints.private_endpoints()):
            present.add(endpoint.id)
            if endpoint.alias not in rules:  # the same for all of the alias: there are hundreds
                rules[endpoint.alias] = self._admitted(endpoint.alias)
            if self._decision(endpoint, rules[endpoint.alias]) and endpoint.id not in self._under_way:
                self._under_way.add(endpoint.id)
                self._clock.call_later(self._settings.approval_seconds, self._settle, endpoint.id)
        self._approved &= present

    def _settle(self, endpoint_id: str) -> None:
        self._under_way.discard(endpoint_id)
        endpoint = next((e for e in self._endpoints.private_endpoints() if e.id == endpoint_id), None)
        decision = self._decision(endpoint, self._admitted(endpoint.alias)) if endpoint else None
        if decision is None:
            return
        status, description = decision
        if status == "Approved":
            self._approved.add(endpoint_id)
        else:
            self._approved.discard(endpoint_id)
        self._endpoints.set_connection(endpoint_id, status, description)

    def _admitted(self, alias: str | None) -> _Admitted:
        """Names and GUIDs that policies for this alias admit, and their names alone; None: it is not Elastic's."""
        rules = self._rules_for(alias)
        if rules is None:
            return None
        both = frozenset(self._key(rule["azure_endpoint_name"], rule["azure_endpoint_guid"]) for rule in rules)
        return both, frozenset(rule["azure_endpoint_name"] for rule in rules)

    def _decision(self, endpoint: PrivateEndpointView, admitted: _Admitted) -> tuple[str, str] | None:
        """The state this endpoint should be given, or None to leave it as it is."""
        if admitted is None:
            return None
        matched = self._key_of(endpoint) in admitted[0]
        if endpoint.status == "Pending":
            if matched:
                return "Approved", "Approved by Elastic"
            if endpoint.name in admitted[1] and self._settings.wrong_guid == "rejected":
                return "Rejected", "The resource GUID does not match"
        elif endpoint.status == "Approved" and endpoint.id in self._approved and not matched:
            gone = _GONE.get(self._settings.ruleset_deleted_while_approved)
            return (gone, "The private connection policy was removed") if gone else None
        return None

    def _matches(self, rule: dict[str, Any], endpoint: PrivateEndpointView) -> bool:
        return self._key(rule["azure_endpoint_name"], rule["azure_endpoint_guid"]) == self._key_of(endpoint)

    def _key_of(self, endpoint: PrivateEndpointView) -> tuple[str, str]:
        # Policies of projects take lower-case GUIDs only.
        guid = endpoint.resource_guid
        return self._key(endpoint.name, guid.lower() if serverless_region(endpoint.alias) else guid)

    def _key(self, name: str, guid: str) -> tuple[str, str]:
        """What is compared."""
        return (name, guid) if self._settings.match_case_sensitive else (name.lower(), guid.lower())
