"""Azure CLI and azd on an Azure on paper: the commands that the hooks call, and what `azd up` and `azd down` do.

The hooks run in this process; what they would start is answered here, and their waits let the time of the paper pass.
"""

from __future__ import annotations

import json
import os
import runpy
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.infra.paper_azure import Resource
from tests.infra.paper_bicep import ParameterFile
from tests.infra.paper_cloud import ASSIGNMENTS, GROUPS, IDENTITIES, ROLES, SUBSCRIBED, TOPICS, VAULTS, Cloud, Refused
from tests.infra.shipped import BUILT_IN, BUILT_IN_TITLES, INFRA, ROOT

if TYPE_CHECKING:
    import pytest

HOOKS = ROOT / "scripts" / "hooks"
NAME = "x1"
RIGHTS = {f"role {what} {change}" for what in ("assignment", "definition") for change in ("create", "delete")}
"""What a Contributor may not do."""
MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups/"
"""With `--all` Azure CLI lists what is assigned above a subscription too."""
METRIC_ALERTS = "Microsoft.Insights/metricAlerts"


class Person:
    """Who deploys an installation with azd, from the subscription `home`."""

    def __init__(self, cloud: Cloud, home: str, monkeypatch: pytest.MonkeyPatch, **chosen: str) -> None:
        self.cloud, self.home, self.monkeypatch = cloud, home, monkeypatch
        self.chosen = {
            "AZURE_ENV_NAME": NAME,
            "AZURE_LOCATION": "eastus2",
            "AZURE_SUBSCRIPTION_ID": home,
            **chosen,
        }
        self.said = ""

    # -- azd

    def up(self) -> None:
        """`azd up`; raises `Refused` where it fails."""
        self.hook("preprovision")
        values = ParameterFile(self.chosen, INFRA / "main.bicepparam").values()
        outputs = self.cloud.deploy("main.bicep", self.home, values)
        self.chosen |= {name: v if isinstance(v, str) else json.dumps(v) for name, v in outputs.items()}
        self.hook("predeploy")
        self.cloud.upload()
        self.hook("postdeploy")

    def down(self) -> None:
        """`azd down`: a hook, then every group of the deployment in the app's subscription."""
        self.hook("predown")
        for group in list(self.cloud.groups(self.home)):
            if group.body is not None and group.body["tags"].get("azd-env-name") == NAME:
                self.cloud.delete(group.id)
        self.chosen = {name: value for name, value in self.chosen.items() if not name.startswith("AUTOPILOT_")}

    def hook(self, name: str) -> None:
        """Run a hook; what it says is in `said`."""
        self.cloud.delivered = 0
        with self.monkeypatch.context() as patched:
            for variable in list(os.environ):
                patched.delenv(variable)
            for variable, value in self.chosen.items():
                patched.setenv(variable, value)
            patched.setattr(subprocess, "run", self._run)
            patched.setattr(shutil, "which", lambda program: program)
            patched.setattr(time, "sleep", self._passes)
            patched.setattr(sys, "argv", ["hooks", name])
            patched.setattr("builtins.print", self._say)
            folder = Path.cwd()
            try:
                runpy.run_path(str(HOOKS), run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise Refused(str(end.code)) from end
            finally:
                os.chdir(folder)

    def run(self, command: str) -> None:
        """A command of Azure CLI that a platform team runs, with more rights."""
        own, self.cloud.contributor = self.cloud.contributor, False
        answer = self._run(shlex.split(command))
        self.cloud.contributor = own
        assert answer.returncode == 0, answer.stderr

    def _say(self, text: str, **_: Any) -> None:
        self.said += text + "\n"

    def _passes(self, seconds: float) -> None:
        self.cloud.now += seconds

    # -- az

    def _run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        program, *words = command
        at = next((at for at, word in enumerate(words) if word.startswith("--")), len(words))
        options = _options(words[at:])
        name = " ".join(words[:at])
        if program == "azd":
            return subprocess.CompletedProcess(command, 0, self._azd(words), "")
        if self.cloud.contributor and name in RIGHTS:
            return subprocess.CompletedProcess(command, 1, "", f"ERROR: (AuthorizationFailed) {name}")
        try:
            answer = self._commands()[name](options)
        except Refused as refused:
            return subprocess.CompletedProcess(command, 1, "", f"ERROR: {refused}")
        return subprocess.CompletedProcess(command, 0, "" if answer is None else json.dumps(answer), "")

    def _azd(self, words: list[str]) -> str:
        if words[:2] == ["env", "set"]:
            self.chosen[words[2]] = words[3]
            return ""
        return json.dumps(self.chosen)

    def _commands(self) -> dict[str, Callable[[dict[str, list[str]]], Any]]:
        cloud = self.cloud
        return {
            "account show": lambda _: {"id": self.home},
            "functionapp list-flexconsumption-locations": lambda _: [{"name": "eastus2"}],
            "provider list": lambda o: [[one, "Registered"] for at, one in cloud.registered if at == _sub(o)],
            "provider register": lambda o: cloud.registered.add((_sub(o), o["namespace"][0])),
            "provider show": lambda _: {"registrationState": "Registered"},
            "eventgrid system-topic list": self._topics,
            "eventgrid system-topic event-subscription delete": self._unsubscribe,
            "deployment sub list": lambda _: cloud.deployments,
            "deployment sub create": self._deploy,
            "deployment sub show": self._deployed,
            "role definition list": self._roles,
            "role definition create": self._make_role,
            "role assignment create": self._assign,
            "role definition delete": lambda o: self._delete_role(o["name"][0]),
            "role assignment list": self._assignments,
            "role assignment delete": lambda o: [cloud.delete(one) for one in o["ids"]] and None,
            "identity list": self._identities,
            "group show": lambda o: self._group(_sub(o), o["name"][0]),
            "group create": self._make_group,
            "group delete": lambda o: cloud.delete(f"/subscriptions/{_sub(o)}/resourceGroups/{o['name'][0]}"),
            "lock list": lambda _: [],
            "keyvault list": lambda o: self._in_group(VAULTS, o),
            "keyvault list-deleted": lambda _: [self._deleted(one) for one in cloud.deleted_vaults],
            "keyvault recover": lambda o: self._recover(o["name"][0]),
            "functionapp list": lambda o: self._in_group("Microsoft.Web/sites", o),
            "functionapp vnet-integration remove": lambda _: None,
            "resource show": self._show,
            "network vnet subnet show": lambda _: {},
            "monitor metrics alert list": lambda o: self._in_group(METRIC_ALERTS, o),
            "monitor metrics alert delete": self._delete_alert,
            "monitor metrics list": lambda _: self._metric(),
            "tag update": lambda o: cloud.happens(o["resource-id"][0].split("/")[2]),
            "eventgrid system-topic event-subscription list": self._subscribed,
            "rest": lambda o: self._rest(o["method"][0], o["url"][0], o.get("body", [""])[0]),
        }

    def _topics(self, asked: dict[str, list[str]]) -> Any:
        group = asked.get("resource-group", [""])[0]
        return [
            {"id": one.id, "topicType": body["properties"]["topicType"], "identity": body.get("identity")}
            for one, body in self.cloud.of(TOPICS)
            if one.id.split("/")[2] == _sub(asked) and (not group or one.id.split("/")[4].lower() == group.lower())
        ]

    def _subscribed(self, asked: dict[str, list[str]]) -> Any:
        made = [one for one, _ in self.cloud.of(SUBSCRIBED) if one.scope.split("/")[2] == _sub(asked)]
        return [{"name": one.name.split("/")[-1]} for one in made]

    def _groups_of_events(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """What Resource Graph answers to the one query of the hooks."""
        groups = [(one, body) for one, body in self.cloud.of(GROUPS) if f"=~ '{one.name}'" in asked["query"]]
        told = [{"subscriptionId": one.id.split("/")[2], "tags": body["tags"]} for one, body in groups]
        return [one for one in told if one["subscriptionId"] in asked["subscriptions"]]

    def _rest(self, method: str, url: str, body: str) -> Any:
        path, _, _ = url.partition("?")
        if method == "delete":
            self.cloud.delete(path)
        if path.endswith("/Microsoft.ResourceGraph/resources"):
            return {"data": self._groups_of_events(json.loads(body))}
        if method != "get":
            return None
        return self._linked(path) if path.endswith("/scopedResources") else self._below(url)

    def _linked(self, scope: str) -> Any:
        """What is in a private link scope."""
        made = self.cloud.of("Microsoft.Insights/privateLinkScopes/scopedResources")
        listed = [(one, body["properties"]) for one, body in made if one.id.lower().startswith(scope.lower())]
        return {"value": [{"id": one.id, "name": one.name, "properties": told} for one, told in listed]}

    def _below(self, url: str) -> Any:
        """What is below a management group, in pages of a hundred."""
        path, _, start = url.partition("&start=")
        listed = [{"name": one, "type": "/subscriptions"} for one in self.cloud.below[path.split("/")[4]]]
        end = int(start or 0) + 100
        return {"value": listed[end - 100 : end], "nextLink": f"{path}&start={end}" if end < len(listed) else None}

    def _unsubscribe(self, asked: dict[str, list[str]]) -> None:
        topic = next(one.id for one, _ in self.cloud.of(TOPICS) if one.name == asked["system-topic-name"][0])
        id_ = f"{topic}/eventSubscriptions/{asked['name'][0]}"
        if id_.lower() not in self.cloud.made:
            raise Refused(f"ResourceNotFound: {id_}")
        self.cloud.delete(id_)

    def _deploy(self, asked: dict[str, list[str]]) -> None:
        values: dict[str, Any] = dict(one.split("=", 1) for one in asked["parameters"])
        values["assignRoles"] = values["assignRoles"] == "true"
        template = Path(asked["template-file"][0]).name
        self.cloud.deploy(template, self.home, values, asked["name"][0])

    def _deployed(self, asked: dict[str, list[str]]) -> Any:
        found = [one for one in self.cloud.deployments if one["name"] == asked["name"][0]]
        if not found:
            raise Refused(f"DeploymentNotFound: {asked['name'][0]}")
        return found[-1]

    def _roles(self, asked: dict[str, list[str]]) -> Any:
        """Those that may be assigned in the subscription."""
        scope = f"/subscriptions/{_sub(asked)}"
        listed = [(one, body["properties"]) for one, body in self.cloud.of(ROLES)]
        return [
            {"name": one.name, "roleName": told["roleName"], "assignableScopes": told["assignableScopes"]}
            for one, told in listed
            if scope in told["assignableScopes"] and told["roleName"] == asked.get("name", [told["roleName"]])[0]
        ]

    def _make_role(self, asked: dict[str, list[str]]) -> None:
        told = json.loads(asked["role-definition"][0])
        body = {"roleName": told["Name"], "assignableScopes": told["AssignableScopes"]}
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, told["Name"]))
        self.cloud.put(Resource(ROLES, name, told["AssignableScopes"][0], {"properties": body}))

    def _assign(self, asked: dict[str, list[str]]) -> None:
        (role,), (scope,) = asked["role"], asked["scope"]
        known = {BUILT_IN_TITLES[name]: guid for name, guid in BUILT_IN.items()}
        known |= {body["properties"]["roleName"]: one.name for one, body in self.cloud.of(ROLES)}
        principal = asked["assignee-object-id"][0]
        body = {"principalId": principal, "roleDefinitionId": f"/{ROLES}/{known[role]}"}
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal} {role} {scope}"))
        self.cloud.put(Resource(ASSIGNMENTS, name, scope, {"properties": body}))

    def _delete_role(self, name: str) -> None:
        if any(body["properties"]["roleDefinitionId"].endswith(name) for _, body in self.cloud.of(ASSIGNMENTS)):
            raise Refused("RoleDefinitionHasAssignments")
        for one, _ in [found for found in self.cloud.of(ROLES) if found[0].name == name]:
            self.cloud.delete(one.id)

    def _assignments(self, asked: dict[str, list[str]]) -> Any:
        principal, scope = asked.get("assignee-object-id", [""])[0], asked.get("scope", [""])[0].lower()
        inside = scope or f"/subscriptions/{_sub(asked)}/"
        return [
            {
                "id": one.id,
                "scope": one.scope,
                "createdOn": self._real(self.cloud.assigned_at[one.id.lower()]),
                "roleDefinitionName": self._title(body["properties"]["roleDefinitionId"].split("/")[-1]),
            }
            for one, body in self.cloud.of(ASSIGNMENTS)
            if (f"{one.scope}/".lower().startswith(inside) or (not scope and one.scope.startswith(MANAGEMENT_GROUPS)))
            and (not principal or body["properties"]["principalId"] == principal)
        ]

    def _title(self, guid: str) -> str:
        known = {BUILT_IN[name]: title for name, title in BUILT_IN_TITLES.items()}
        known |= {one.name: body["properties"]["roleName"] for one, body in self.cloud.of(ROLES)}
        return known.get(guid, "")

    def _real(self, moment: float) -> str:
        return (datetime.now(UTC) - timedelta(seconds=self.cloud.now - moment)).isoformat()

    def _identities(self, asked: dict[str, list[str]]) -> Any:
        made = [self.cloud.made[one["id"].lower()] for one in self._in_group(IDENTITIES, asked)]
        return [{"principalId": self.cloud.azure.properties(one)["principalId"]} for one in made]

    def _group(self, subscription: str, name: str) -> Any:
        found = self.cloud.made.get(f"/subscriptions/{subscription}/resourcegroups/{name}".lower())
        if found is None or found.body is None:
            raise Refused(f"ResourceGroupNotFound: {name}")
        return {"tags": found.body.get("tags") or {}}

    def _make_group(self, asked: dict[str, list[str]]) -> None:
        tags = dict(one.split("=", 1) for one in asked["tags"])
        group = f"/subscriptions/{_sub(asked)}"
        self.cloud.put(Resource(GROUPS, asked["name"][0], group, {"tags": tags}))

    def _in_group(self, kind: str, asked: dict[str, list[str]]) -> Any:
        place = f"/subscriptions/{_sub(asked)}/resourceGroups/{asked['resource-group'][0]}/".lower()
        made = [one for one, _ in self.cloud.of(kind) if one.id.lower().startswith(place)]
        return [{"id": one.id, "name": one.name} for one in made]

    def _delete_alert(self, asked: dict[str, list[str]]) -> None:
        for one in self._in_group(METRIC_ALERTS, asked):
            if one["name"] == asked["name"][0]:
                self.cloud.delete(one["id"])

    def _deleted(self, name: str) -> Any:
        body = self.cloud.deleted_vaults[name].body or {}
        return {"name": name, "properties": {"tags": body["tags"], "location": body["location"]}}

    def _recover(self, name: str) -> None:
        self.cloud.put(self.cloud.deleted_vaults.pop(name))

    def _show(self, asked: dict[str, list[str]]) -> Any:
        if asked["ids"][0].endswith("/functions/endpoint_events"):
            if not self.cloud.code:
                raise Refused("ResourceNotFound")
            return {}
        found = self.cloud.made.get(asked["ids"][0].lower())
        if found is None:
            raise Refused("ResourceNotFound")
        return {"properties": (found.body or {}).get("properties", {})}

    def _metric(self) -> Any:
        return {"value": [{"timeseries": [{"data": [{"total": self.cloud.delivered}]}]}]}


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word.removeprefix("--")] = []
        else:
            found[list(found)[-1]].append(word)
    return found


def _sub(asked: dict[str, list[str]]) -> str:
    return asked["subscription"][0].lower()
