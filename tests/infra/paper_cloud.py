"""An Azure on paper that lasts: deployment after deployment, with the rules by which Azure refuses one, and its delays.

`Cloud` holds what is there; `paper_az` is Azure CLI on it. Time is virtual: a wait of the hooks lets it pass. Each rule
refuses with the words of public issues: Azure/bicep#17145 on scopes of roles, Azure/ARO-RP#1346 on their names,
Azure/arm-template-whatif#424 on topics, Azure/git-ape#30 on vaults, Azure/azure-cli#33177 on providers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.paper_azure import CLOUDS, Azure, Resource
from tests.infra.paper_bicep import deploy
from tests.infra.shipped import BUILT_IN

GROUPS = "Microsoft.Resources/resourceGroups"
TOPICS = "Microsoft.EventGrid/systemTopics"
SUBSCRIBED = f"{TOPICS}/eventSubscriptions"
ROLES = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
VAULTS = "Microsoft.KeyVault/vaults"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


class Refused(Exception):
    """What Azure says no to, in its own words."""


class Cloud:
    """What is there, by id in lower case; `spreads`: seconds until a new assignment counts, `senders`: of those."""

    def __init__(self, *, spreads: float = 0, senders: float = 0, contributor: bool = False) -> None:
        self.azure = Azure(CLOUDS["AzureCloud"])
        self.spreads = spreads
        self.contributor = contributor
        self.slow = {"queueMessageSender": max(spreads, senders)}
        self.now = 0.0
        self.assigned_at: dict[str, float] = {}
        self.deleted_vaults: dict[str, Resource] = {}
        self.below: dict[str, list[str]] = {}  # management groups, and the subscriptions below them
        self.registered: set[tuple[str, str]] = set()
        self.delivered = 0
        self.lost = 0
        self.code = False
        self.deployments: list[dict[str, Any]] = []

    @property
    def made(self) -> dict[str, Resource]:
        return self.azure.made

    def of(self, kind: str) -> list[tuple[Resource, dict[str, Any]]]:
        """Every resource of a kind, with its body."""
        return [(one, one.body) for one in self.azure.of(kind) if one.body is not None]

    # -- deployments

    def deploy(self, template: str, home: str, parameters: Mapping[str, Any], name: str = "") -> dict[str, Any]:
        """As Azure does it: one resource after the other, and what was made before a refusal stays."""
        planned = Azure(CLOUDS["AzureCloud"], contributor=self.contributor)
        _, outputs = deploy(planned, template, home, parameters)
        told = {"name": name, "tags": {"azd-env-name": parameters["environmentName"]}}
        self.deployments.append(told | {"properties": {"timestamp": str(self.now), "provisioningState": "Failed"}})
        for one in planned.made.values():
            self.put(one)
        values = {key: {"value": value} for key, value in outputs.items()}
        self.deployments[-1]["properties"] |= {"provisioningState": "Succeeded", "outputs": values}
        return outputs

    def put(self, one: Resource) -> None:
        """Make or replace a resource, unless a rule of its kind forbids it."""
        assert one.body is not None
        group = "/".join(one.id.lower().split("/")[:5])
        if one.type != GROUPS and "/resourcegroups/" in group and group not in self.made:
            raise Refused(f"ResourceGroupNotFound: {group}")
        rules = {ROLES: self._role, ASSIGNMENTS: self._assignment, TOPICS: self._topic, VAULTS: self._vault}
        rules |= {SUBSCRIBED: self._subscribed, "Microsoft.Network/virtualNetworks": self._network}
        rules.get(one.type, lambda _: None)(one)
        self.made[one.id.lower()] = one

    def _role(self, one: Resource) -> None:
        assert one.body is not None
        properties = one.body["properties"]
        for other, body in self.of(ROLES):
            if other.name != one.name and body["properties"]["roleName"] == properties["roleName"]:
                raise Refused(f"RoleDefinitionWithSameNameExists: {properties['roleName']}")
        for assignment, body in self.of(ASSIGNMENTS):
            inside = any(f"{assignment.scope}/".lower().startswith(f"{at}/") for at in properties["assignableScopes"])
            if body["properties"]["roleDefinitionId"].endswith(one.name) and not inside:
                raise Refused(f"RoleScopeBeingRemovedContainsAssignments: {assignment.scope}")

    def _assignment(self, one: Resource) -> None:
        assert one.body is not None
        wanted = (one.body["properties"]["principalId"], one.body["properties"]["roleDefinitionId"].split("/")[-1])
        for other, body in self.of(ASSIGNMENTS):
            there = (body["properties"]["principalId"], body["properties"]["roleDefinitionId"].split("/")[-1])
            if there == wanted and other.scope.lower() == one.scope.lower() and other.name != one.name:
                raise Refused("RoleAssignmentExists: the same assignment under another name")
        self.assigned_at.setdefault(one.id.lower(), self.now)

    def _topic(self, one: Resource) -> None:
        assert one.body is not None
        source = one.body["properties"]["source"]
        if any(b["properties"]["source"] == source and o.id.lower() != one.id.lower() for o, b in self.of(TOPICS)):
            raise Refused(f"InvalidRequest: Only one system topic is allowed per source ({source})")

    def _vault(self, one: Resource) -> None:
        if one.name in self.deleted_vaults:
            raise Refused(f"VaultAlreadyExists: {one.name} is deleted, and kept")

    def _subscribed(self, one: Resource) -> None:
        if one.id.lower().rpartition("/eventsubscriptions/")[0] not in self.made:
            raise Refused(f"ResourceNotFound: the topic of {one.id}")

    def _network(self, one: Resource) -> None:
        if (one.id.split("/")[2], "Microsoft.App") not in self.registered:
            raise Refused("SubscriptionNotRegistered: Microsoft.App")

    def delete(self, id_: str) -> None:
        """A resource with all that is in it; a vault is kept, deleted."""
        for key in [key for key in self.made if f"{key}/".startswith(f"{id_.lower()}/")]:
            gone = self.made.pop(key)
            self.assigned_at.pop(key, None)
            if gone.type == VAULTS:
                self.deleted_vaults[gone.name] = gone

    # -- what runs

    def may(self, principal: str, role: str, *, on: str) -> bool:
        """Whether an identity has a built-in role there, for long enough that Azure knows."""
        return any(
            body["properties"]["principalId"] == principal
            and body["properties"]["roleDefinitionId"].endswith(BUILT_IN[role])
            and f"{on.lower()}/".startswith(f"{one.scope.lower()}/")
            and self.now - self.assigned_at[one.id.lower()] >= self.slow.get(role, self.spreads)
            for one, body in self.of(ASSIGNMENTS)
        )

    def upload(self) -> None:
        """The code, by the app's own identity: storage takes it from whom it knows."""
        ((site, body),) = self.of("Microsoft.Web/sites")
        (identity,) = body["identity"]["userAssignedIdentities"]
        principal = self.azure.properties(self.made[identity.lower()])["principalId"]
        ((storage, _),) = self.of("Microsoft.Storage/storageAccounts")
        if not self.may(principal, "storageBlobDataOwner", on=storage.id):
            raise Refused(f"403 InaccessibleStorageException: {site.name}")
        self.code = True

    def happens(self, subscription: str) -> None:
        """An event of that subscription: delivered, or refused and never sent again."""
        for one, body in self.of(SUBSCRIBED):
            topic = self.made[one.id.lower().rpartition("/eventsubscriptions/")[0]]
            assert topic.body is not None
            if topic.body["properties"]["source"].lower() != f"/subscriptions/{subscription}".lower():
                continue
            if self.reaches(topic, body["properties"]):
                self.delivered += 1
            else:
                self.lost += 1

    def reaches(self, topic: Resource, subscribed: dict[str, Any]) -> bool:
        queue = subscribed["deliveryWithResourceIdentity"]
        if queue is None:
            return self.code
        storage = queue["destination"]["properties"]["resourceId"]
        account = self.made[storage.lower()].body
        assert account is not None
        identity = queue["identity"]
        own = identity["type"] == "SystemAssigned"
        if account["properties"]["networkAcls"]["defaultAction"] == "Deny" and not own:
            return False  # behind a firewall only a topic's own identity gets through
        if own:
            principal = self.azure.identity(topic)["principalId"]
        else:
            principal = self.azure.properties(self.made[identity["userAssignedIdentity"].lower()])["principalId"]
        return self.may(principal, "queueMessageSender", on=f"{storage}/queueServices/default/queues/reconcile")

    def groups(self, subscription: str) -> Iterator[Resource]:
        """The resource groups of a subscription."""
        return (one for one, _ in self.of(GROUPS) if one.id.split("/")[2] == subscription)
