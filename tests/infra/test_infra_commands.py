"""The commands on the pages for operators: they parse, and use of Azure CLI only what was tried with it.

Those of Azure CLI 2.91 were run against the local clouds or a stand-in for Azure, or looked up with `--help` (one of an
extension in its source). Who writes another one on a page does the same and adds it here.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict

import jmespath
import pytest

from tests.infra.shipped import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
BLOCKS = {
    f"{page}, block {number}": block
    for page, text in PAGES.items()
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL), 1)
}
INLINE = [code.replace("\\|", "|") for text in PAGES.values() for code in re.findall(r"`(az [^`\n]+ --[^`\n]+)`", text)]
NESTED = re.compile(r"\$\((az [^()]*(?:\([^()]*\)[^()]*)*)\)")

TRIED = {
    "account get-access-token": "",
    "ad signed-in-user show": "",
    "cloud register": "--endpoint-resource-manager --name",
    "cloud set": "--name",
    "deployment mg create": "--location --management-group-id --name --parameters --template-file",
    "deployment sub create": "--location --name --parameters --template-file --template-uri",
    "deployment sub show": "--name",
    "eventgrid event-subscription create": (
        "--endpoint --event-delivery-schema --included-event-types --name --source-resource-id --subject-begins-with"
    ),
    "eventgrid system-topic list": "",
    "eventgrid topic create": "--input-schema --location --name --resource-group",
    "eventgrid topic show": "--name --resource-group",
    "functionapp deployment source config-zip": "--build-remote --name --resource-group --src",
    "functionapp keys delete": "--key-name --key-type --name --resource-group",
    "functionapp keys list": "--name --resource-group",
    "functionapp keys set": "--key-name --key-type --name --resource-group",
    "functionapp list": "--resource-group",
    "functionapp list-flexconsumption-locations": "",
    "group create": "--location --name --tags",
    "keyvault list-deleted": "--resource-type",
    "keyvault recover": "--location --name",
    "keyvault secret set": "--file --name --vault-name",
    "keyvault secret show": "--name --vault-name",
    "keyvault show": "--name",
    "login": "--identity",
    "monitor metrics list": "--aggregation --filter --interval --metrics --resource",
    "network private-dns record-set a list": "",
    "network private-endpoint create": (
        "--connection-name --location --manual-request --name --private-connection-resource-id --resource-group "
        "--subnet --tags --vnet-name"
    ),
    "network private-endpoint show": "",
    "network vnet peering create": "--allow-vnet-access --name --remote-vnet --resource-group --vnet-name",
    "network vnet show": "--name --resource-group",
    "network vnet subnet show": "--vnet-name",
    "provider register": "--namespace --wait",
    "resource update": "--ids --set",
    "role assignment create": "--assignee --role --scope",
    "role assignment delete": "--assignee --ids --role --scope",
    "role assignment list": "--all --assignee-object-id",
    "storage entity query": "--connection-string --table-name",
    "storage message peek": "--account-name --auth-mode --queue-name",
    "tag update": "--operation --resource-id --tags",
}
"""Azure CLI's commands and, of each, the options that the pages use; those of every command aside."""
EVERYWHERE = {"--output", "--query", "--subscription"}


def commands(text: str) -> list[str]:
    """Each call of `az` in shell text, from its first word on, without what comes after it in a pipe."""
    joined = text.replace("\\\n", " ")
    inner = [call for nested in NESTED.findall(joined) for call in commands(nested)]
    outer = re.split(r"(?<![\w-])az (?=[a-z])", NESTED.sub("NESTED", joined))[1:]
    return [re.split(r"[\n;]| #| \|", called)[0] for called in outer] + inner


def used() -> dict[str, set[str]]:
    """What the pages use: options by command."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for call in (call for text in (*BLOCKS.values(), *INLINE) for call in commands(text)):
        words = re.match(r"(?:[a-z][a-z-]*(?:\s+|$))+", f"{call} ")
        assert words, call
        found[" ".join(words[0].split())] |= set(re.findall(r"(?<=\s)--[a-z][a-z-]*", call)) - EVERYWHERE
    return found


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_commands_is_valid_shell(block: str) -> None:
    answer = subprocess.run(["/bin/sh", "-n"], input=BLOCKS[block], text=True, capture_output=True, check=False)
    assert answer.stderr == ""


def test_every_query_is_valid_jmespath() -> None:
    queries = [q for text in (*BLOCKS.values(), *INLINE) for q in re.findall(r'--query "([^"]+)"', text)]
    assert len(queries) >= 4
    for query in queries:
        jmespath.compile(re.sub(r"\$\{?\w+\}?", "x", query))


def test_of_azure_cli_only_what_was_tried_is_used() -> None:
    assert {command: " ".join(sorted(options)) for command, options in used().items()} == TRIED


def test_no_secret_is_an_argument_where_every_user_of_the_machine_reads_it() -> None:
    for text in (*BLOCKS.values(), *INLINE):
        assert not re.search(r"--value\b|--secret\b|ecApiKey=|EC_API_KEY=\S", text), text
