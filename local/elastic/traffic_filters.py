"""Policies, their associations and claims: the twelve traffic filter operations, without HTTP.

Called by `local.elastic.gateway` with parsed requests. All of it is synchronous: an operation is applied as a whole.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from local.elastic import schema
from local.elastic.errors import ApiError, no_such_deployment, no_such_ruleset, permission_denied
from local.elastic.history import HistoryEvent, What
from local.elastic.model import Ruleset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from local.clock import LoopClock
    from local.elastic.deployments import Deployment, DeploymentBook
    from local.elastic.settings import ElasticSettings

State: TypeAlias = tuple[dict[str, Ruleset], dict[tuple[str, str], datetime], dict[tuple[str, str], dict[str, Any]]]
"""Rulesets, associations and claims."""


class TrafficFilters:
    """Rulesets, which deployments they are attached to, and which endpoints the organization claims."""

    def __init__(
        self,
        clock: LoopClock,
        settings: ElasticSettings,
        book: DeploymentBook,
        regions: Collection[str],
        *,
        knows: Callable[[dict[str, Any]], bool],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._book = book
        self._regions = regions
        self._knows = knows
        self._changed = changed
        self.rulesets: dict[str, Ruleset] = {}
        self.associations: dict[tuple[str, str], datetime] = {}
        self._taken_away: dict[tuple[str, str], datetime] = {}
        self.claims: dict[tuple[str, str], dict[str, Any]] = {}
        self.history: list[HistoryEvent] = []
        self.listeners: list[Callable[[HistoryEvent], None]] = []

    def snapshot(self) -> State:
        """All that reads show, to be shown again later."""
        return deepcopy(self.rulesets), dict(self.associations), dict(self.claims)

    @contextmanager
    def shown_as(self, state: State) -> Iterator[None]:
        """Let reads show an earlier state; nothing may be written meanwhile."""
        present = (self.rulesets, self.associations, self.claims)
        self.rulesets, self.associations, self.claims = state
        try:
            yield
        finally:
            self.rulesets, self.associations, self.claims = present

    # What is attached: the truth, what is in force (for the proxy) and as listed (for readers, with the lag).

    def attached(self, deployment_id: str) -> list[Ruleset]:
        """Rulesets associated with a deployment."""
        return [self.rulesets[r] for r, d in self.associations if d == deployment_id]

    def in_force(self, deployment_id: str) -> list[Ruleset]:
        """Rulesets that the proxy enforces for a deployment: new ones a little later, and those taken away as long."""
        now = self._clock.now()
        new = timedelta(seconds=self._settings.association_effect_seconds)
        old = timedelta(seconds=self._settings.disassociation_effect_seconds)
        standing = [r for (r, d), since in self.associations.items() if d == deployment_id and now - since >= new]
        leaving = [r for (r, d), at in self._taken_away.items() if d == deployment_id and now - at < old]
        return [self.rulesets[r] for r in dict.fromkeys((*standing, *leaving)) if r in self.rulesets]

    def listed(self, deployment_id: str) -> list[str]:
        """Ids of the rulesets that readers are shown for a deployment."""
        return [r for r, _ in self._shown(deployment_id)]

    def listed_of_all(self) -> dict[str, list[str]]:
        """The same for every target, for a search that shows a thousand of them."""
        found: dict[str, list[str]] = {}
        for ruleset, target in self._shown():
            found.setdefault(target, []).append(ruleset)
        return found

    def _shown(self, one: str | None = None) -> list[tuple[str, str]]:
        """A ruleset's or a deployment's associations as readers are shown them; without one, those of all.

        New ones later, and for a while those that were taken away.
        """
        now = self._clock.now()
        lag = timedelta(seconds=self._settings.association_lag_seconds)
        gone_lag = timedelta(seconds=self._settings.disassociation_lag_seconds)
        standing = [
            pair for pair, since in self.associations.items() if (one is None or one in pair) and now - since >= lag
        ]
        gone = [pair for pair, at in self._taken_away.items() if (one is None or one in pair) and now - at < gone_lag]
        return list(dict.fromkeys((*standing, *(pair for pair in gone if pair[0] in self.rulesets))))

    # Rulesets.

    def list_rulesets(self, region: str | None, *, include_associations: bool) -> dict[str, Any]:
        """Operation 1."""
        found = [r for r in self.rulesets.values() if region in (None, r.region) and self._readable(r)]
        return {"rulesets": [self._info(r, include_associations=include_associations) for r in found]}

    def create(self, body: Any) -> dict[str, Any]:
        """Operation 2. Not idempotent: the same request again makes another ruleset."""
        request = schema.ruleset_request(body, self._regions)
        self._check_role(default=request["include_by_default"])
        if len(self.rulesets) >= self._settings.max_rulesets:
            raise ApiError(self._settings.limit_status, "traffic_filter.limit_exceeded", "Too many rulesets.")
        self._check_unique(request)
        self._check_rules(request)
        ruleset = Ruleset(
            id=self._book.new_id(),
            name=request["name"],
            type=request["type"],
            region=request["region"],
            include_by_default=request["include_by_default"],
            rules=self._numbered(request["rules"]),
            description=request.get("description"),
            created_at=self._clock.now(),
        )
        self.rulesets[ruleset.id] = ruleset
        self._note("created", ruleset)
        self._changed()
        return {"id": ruleset.id}

    def get(self, ruleset_id: str, *, include_associations: bool) -> dict[str, Any]:
        """Operation 3."""
        return self._info(self._find(ruleset_id), include_associations=include_associations)

    def update(self, ruleset_id: str, body: Any) -> dict[str, Any]:
        """Operation 4: everything is replaced, rule ids included."""
        ruleset = self._find(ruleset_id)
        request = schema.ruleset_request(body, self._regions)
        self._check_role(default=request["include_by_default"])
        moved = request["region"] != ruleset.region or request["type"] != ruleset.type
        if moved and self._settings.put_immutable == "refused":
            raise ApiError(400, "traffic_filter.immutable_field", "Region and type of a ruleset cannot be changed.")
        self._check_rules(request)
        ruleset.name, ruleset.type, ruleset.region = request["name"], request["type"], request["region"]
        ruleset.include_by_default = request["include_by_default"]
        ruleset.rules = self._numbered(request["rules"])
        ruleset.description = request.get("description")
        self._note("updated", ruleset)
        self._changed()
        return {"id": ruleset.id}

    def delete(self, ruleset_id: str, *, ignore_associations: bool) -> dict[str, Any]:
        """Operation 5. `ignore_associations` takes the policy away from every deployment that has it."""
        ruleset = self._find(ruleset_id)
        self._check_role()
        users = [d for r, d in self.associations if r == ruleset_id]
        if users and not ignore_associations:
            message = f"The ruleset [{ruleset_id}] has associations."
            raise ApiError(self._settings.delete_with_associations, "traffic_filter.has_associations", message)
        for deployment_id in users:
            self._detach(ruleset, deployment_id)
        del self.rulesets[ruleset_id]
        self._note("deleted", ruleset)
        self._changed()
        return {}

    # Associations.

    def associations_of(self, ruleset_id: str) -> dict[str, Any]:
        """Operation 6."""
        return self._associations(self._find(ruleset_id))

    def associate(self, ruleset_id: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Operation 7: 201 for a new association, 200 for one that was there."""
        ruleset = self._find(ruleset_id)
        deployment_id = schema.association_request(body)["id"]
        self._check_role(deployment_id)
        if (ruleset_id, deployment_id) in self.associations:
            return 200, {}
        self._check_deployment(ruleset, deployment_id)
        self.attach(ruleset, deployment_id)
        return 201, {}

    def disassociate(self, ruleset_id: str, entity_type: str, deployment_id: str) -> dict[str, Any]:
        """Operation 8."""
        if entity_type != "deployment":
            raise ApiError(400, "traffic_filter.invalid_association_type", "Invalid association type.")
        ruleset = self._find(ruleset_id)
        self._check_role(deployment_id)
        if (ruleset_id, deployment_id) not in self.associations:
            raise ApiError(404, "traffic_filter.not_found", "The traffic filter ruleset association cannot be found.")
        self._detach(ruleset, deployment_id)
        return {}

    def rulesets_of(self, entity_type: str, deployment_id: str) -> dict[str, Any]:
        """Operation 9."""
        if entity_type != "deployment":
            raise ApiError(400, "traffic_filter.invalid_association_type", "Invalid association type.")
        return {"rulesets": self.listed(deployment_id)}

    def attach(self, ruleset: Ruleset, deployment_id: str) -> None:
        """Put a ruleset in force for a deployment; also how seeds and `include_by_default` do it."""
        self.associations[ruleset.id, deployment_id] = self._clock.now()
        self._note("associated", ruleset, deployment_id)

    def _detach(self, ruleset: Ruleset, deployment_id: str) -> None:
        del self.associations[ruleset.id, deployment_id]
        self._taken_away[ruleset.id, deployment_id] = self._clock.now()
        self._note("disassociated", ruleset, deployment_id)

    # Claims.

    def list_claims(self, region: str | None) -> dict[str, Any]:
        """Operation 10."""
        return {"claimed_link_ids": [c for c in self.claims.values() if region in (None, c["region"])]}

    def claim(self, body: Any) -> dict[str, Any]:
        """Operation 11."""
        request = schema.claim_request(body, self._regions)
        key = (request["region"], request["azure_endpoint_guid"].lower())
        repeated = key in self.claims and self._settings.repeat_claim == "refused"
        if repeated or self._foreign(*key):
            code = "traffic_filter_claimed_link_id.invalid_input"
            raise ApiError(400, code, "The link id is already claimed.", ("azure_endpoint_guid",))
        self.claims[key] = dict(request)
        return self.claims[key]

    def unclaim(self, body: Any) -> dict[str, Any]:
        """Operation 12."""
        request = schema.claim_request(body, self._regions)
        key = (request["region"], request["azure_endpoint_guid"].lower())
        if key not in self.claims:
            code = "traffic_filter_claimed_link_id.invalid_input"
            raise ApiError(400, code, "The link id is not claimed by this organization.", ("azure_endpoint_guid",))
        del self.claims[key]
        return {}

    # Checks.

    def _check_role(self, deployment_id: str | None = None, *, default: bool = False) -> None:
        """Whether the key may write policies at all, or associate them with this deployment."""
        editable = self._settings.editable_deployments
        if editable is None:
            return
        if deployment_id is not None:
            if deployment_id not in editable:
                raise permission_denied(f"/deployments/{deployment_id}")
        elif not editable or (default and not editable >= {one.id for one in self._book.all()}):
            raise permission_denied("/deployments/traffic-filter/rulesets")

    def _check_unique(self, request: dict[str, Any]) -> None:
        others = self.rulesets.values()
        if self._settings.duplicate_name == "refused" and any(o.name == request["name"] for o in others):
            raise ApiError(
                409, "traffic_filter.name_in_use", f"A ruleset [{request['name']}] exists already.", ("name",)
            )
        guids = {str(rule.get("azure_endpoint_guid", "")).lower() for rule in request["rules"]}
        if self._settings.duplicate_guid == "refused" and any(o.guids & guids for o in others):
            raise ApiError(409, "traffic_filter.endpoint_in_use", "A ruleset with this endpoint exists already.")

    def _check_rules(self, request: dict[str, Any]) -> None:
        rules = request["rules"]
        if len(rules) > self._settings.max_rules:
            raise ApiError(
                self._settings.limit_status, "traffic_filter.limit_exceeded", "Too many rules in one ruleset."
            )
        for rule in (r for r in rules if "azure_endpoint_guid" in r):
            if self._foreign(request["region"], rule["azure_endpoint_guid"].lower()):
                raise ApiError(400, "traffic_filter.endpoint_claimed", "Another organization claims this endpoint.")
            if self._settings.unknown_guid == "refused" and not self._knows(rule):
                raise ApiError(400, "traffic_filter.endpoint_unknown", "There is no such private endpoint.")

    def _check_deployment(self, ruleset: Ruleset, deployment_id: str) -> None:
        switches, deployment = self._settings, self._book.find(deployment_id)
        if deployment is None:
            if switches.missing_deployment_association == "refused":
                raise no_such_deployment(deployment_id)
            return
        hidden = deployment.hidden and switches.hidden_deployment_association == "refused"
        stopped = deployment.status == "stopped" and switches.stopped_deployment_association == "refused"
        foreign = deployment.region != ruleset.region and switches.cross_region_association == "refused"
        if hidden or stopped or foreign:
            message = self._unfit(deployment, ruleset)
            raise ApiError(400, "traffic_filter.invalid_association", message, ("id",))

    @staticmethod
    def _unfit(deployment: Deployment, ruleset: Ruleset) -> str:
        if deployment.region != ruleset.region:
            return f"The deployment is in region [{deployment.region}], the ruleset in [{ruleset.region}]."
        return f"The deployment [{deployment.id}] is not running."

    def _foreign(self, region: str, guid: str) -> bool:
        return any((r, g.lower()) == (region, guid) for r, g in self._settings.claimed_elsewhere)

    # Reading.

    def _find(self, ruleset_id: str) -> Ruleset:
        ruleset = self.rulesets.get(ruleset_id)
        if ruleset is None or not self._readable(ruleset):
            raise no_such_ruleset(ruleset_id, self._settings.missing_ruleset_status)
        return ruleset

    def _readable(self, ruleset: Ruleset) -> bool:
        return self._clock.now() - ruleset.created_at >= timedelta(seconds=self._settings.create_lag_seconds)

    def _associations(self, ruleset: Ruleset) -> dict[str, Any]:
        users = [d for _, d in self._shown(ruleset.id)]
        shown = [d for d in users if d not in self._settings.invisible_deployments]
        return {
            "associations": [{"entity_type": "deployment", "id": d} for d in shown],
            "total_associations": len(users),
        }

    def _info(self, ruleset: Ruleset, *, include_associations: bool) -> dict[str, Any]:
        info: dict[str, Any] = {
            "id": ruleset.id,
            "name": ruleset.name,
            "type": ruleset.type,
            "region": ruleset.region,
            "include_by_default": ruleset.include_by_default,
            "rules": [dict(rule) for rule in ruleset.rules],
        }
        if ruleset.description is not None:
            info["description"] = ruleset.description
        return info | self._associations(ruleset) if include_associations else info

    def _numbered(self, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [dict(rule) | {"id": self._book.new_id()} for rule in rules]

    def _note(self, what: What, ruleset: Ruleset, deployment_id: str | None = None) -> None:
        default = ruleset.include_by_default
        self.record(HistoryEvent(self._clock.now(), what, ruleset.id, ruleset.guids, deployment_id, default))

    def record(self, event: HistoryEvent) -> None:
        """Note a change, of policies of either family, and tell those who listen."""
        self.history.append(event)
        for listener in self.listeners:
            listener(event)
