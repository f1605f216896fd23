"""The calls of Azure CLI in the hooks: only commands and options that Azure CLI 2.91 has, looked up with `--help`.

A call is read from the source: the words of `az(...)`, and of the tuples that it is given by name. A new one is looked
up and added here.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.infra.shipped import ROOT

LOOKED_UP = {
    "account show": "",
    "ad signed-in-user show": "",
    "deployment sub create": "--location --name --parameters --subscription --template-file",
    "deployment sub list": "--subscription",
    "deployment sub show": "--name --subscription",
    "eventgrid system-topic event-subscription delete": (
        "--name --resource-group --subscription --system-topic-name --yes"
    ),
    "eventgrid system-topic event-subscription list": "--resource-group --subscription --system-topic-name",
    "eventgrid system-topic list": "--resource-group --subscription",
    "functionapp function list": "--name --resource-group --subscription",
    "functionapp keys list": "--name --resource-group --subscription",
    "functionapp list-flexconsumption-locations": "",
    "functionapp scale config set": "--maximum-instance-count --name --resource-group --subscription",
    "functionapp scale config show": "--name --resource-group --subscription",
    "functionapp vnet-integration remove": "--name --resource-group --subscription",
    "group create": "--location --name --subscription --tags",
    "group delete": "--name --subscription --yes",
    "group show": "--name --subscription",
    "identity list": "--resource-group --subscription",
    "keyvault list-deleted": "--resource-type --subscription",
    "keyvault recover": "--location --name --subscription",
    "lock list": "--resource-group --subscription",
    "monitor activity-log list": "--max-events --namespace --offset --resource-group --subscription",
    "monitor log-analytics workspace list": "--resource-group --subscription",
    "monitor metrics alert delete": "--name --resource-group --subscription",
    "monitor metrics alert list": "--resource-group --subscription",
    "monitor metrics list": "--aggregation --filter --interval --metrics --offset --resource --start-time",
    "network private-dns link vnet create": (
        "--name --registration-enabled --resource-group --subscription --virtual-network --zone-name"
    ),
    "network private-dns link vnet delete": "--name --resource-group --subscription --yes --zone-name",
    "network private-dns record-set a add-record": (
        "--ipv4-address --record-set-name --resource-group --subscription --zone-name"
    ),
    "network private-dns zone create": "--name --resource-group --subscription",
    "network private-dns zone delete": "--name --resource-group --subscription --yes",
    "network vnet subnet show": "--ids",
    "provider list": "--query --subscription",
    "provider register": "--namespace --subscription",
    "provider show": "--namespace --subscription",
    "resource show": "--api-version --ids",
    "rest": "--body --method --url",
    "role assignment create": "--assignee --role --scope",
    "role assignment delete": "--assignee --ids --role --scope",
    "role assignment list": "--all --assignee-object-id --scope --subscription",
    "role definition delete": "--name --scope",
    "role definition list": "--custom-role-only --name --subscription",
    "storage message peek": "--account-name --auth-mode --num-messages --queue-name",
    "tag update": "--operation --resource-id --tags",
}
"""Commands and, of each, the options that the hooks use; `--only-show-errors` and `--output` aside."""
CALLERS = {"az", "az_soon", "az_log"}


def calls() -> Iterator[list[str]]:
    """The constant words of each call."""
    for path in sorted((ROOT / "scripts" / "hooks").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            tuples = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
                later = isinstance(node.func, ast.Attribute) and node.func.attr == "callback"
                caller, given = (node.args[0], node.args[1:]) if later else (node.func, node.args)
                if isinstance(caller, ast.Name) and caller.id in CALLERS:
                    yield [word for one in given for word in words(one, tuples)]


def words(node: ast.expr, tuples: dict[str, ast.expr]) -> list[str]:
    """The constant words of an argument; what is worked out there stands as a dot."""
    if isinstance(node, ast.Starred):
        inner = tuples.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
        return [word for one in inner.elts for word in words(one, tuples)] if isinstance(inner, ast.Tuple) else ["."]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else ["."]


def used() -> dict[str, str]:
    """What the hooks use: options by command."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for call in calls():
        command = next((at for at, word in enumerate(call) if not re.fullmatch("[a-z][a-z-]*", word)), len(call))
        found[" ".join(call[:command])] |= {word for word in call if word.startswith("--")}
    return {command: " ".join(sorted(options)) for command, options in found.items() if command}


def test_of_azure_cli_the_hooks_use_only_what_was_looked_up() -> None:
    assert used() == LOOKED_UP
