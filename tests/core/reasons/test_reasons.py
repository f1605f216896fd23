"""The catalogue of reasons is complete and true: every reason that the code can give stands in it, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.troubleshooting_page import BEGIN, PAGE, tables
from shared.clouds.azure import errors as arm_errors
from shared.core.guards import consent, cutting_off, modes, reopening
from shared.core.model import conditions as c
from shared.core.planning import desired
from shared.core.planning.plan import TERMINAL
from shared.core.planning.requeue import _REASONS
from shared.core.reasons import SECTIONS, Hop, Reason, catalogue, hop_of
from shared.settings import descriptions

SHARED = Path(__file__).resolve().parents[3] / "shared"
CALLS = {
    "good": 1,
    "blocked": 1,
    "waiting": 1,
    "unknown": 1,
    "Condition": 2,
    "Reading": 1,
    "Problem": 0,
    "Advice": 0,
    "_removed": 1,
    "_blocked": 1,
}
"""What makes a reason, and which of its arguments is one; `reason=` is one wherever it stands."""
COMPUTED = {
    ("plan.py", "str(endpoint.status)"): {str(status) for status in TERMINAL},
    ("errors.py", "code"): {*arm_errors._BY_PERSON, arm_errors.GROUP_GONE, "SubscriptionNotFound"},
    ("requeue.py", "reason"): {name for _, name in _REASONS},
}
"""Reasons that are no literals, with what they can come to."""
RELAYED = re.compile(r"(\w+(\[0\])?\.)+reason|entity\['reason'\]|counts\.reason")
"""Somebody else's reason, passed on."""
PLAIN = {"conditions.py", "deleted.py"}
"""Where `reason` is the argument of a function that makes conditions: its callers are looked at instead."""

TAGS = [
    (name, value)
    for module in (desired, consent, cutting_off, modes, reopening)
    for name, value in vars(module).items()
    if name.endswith("_TAG") and isinstance(value, str)
]
Source = tuple[str, str]
"""Module and expression."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in SHARED.rglob("*.py"):
        if "reasons" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(node: ast.AST) -> set[str]:
    """The texts that an expression may come to, as far as they stand in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def constants() -> dict[str, str]:
    """Texts that have a name of their own, in any module."""
    return {
        node.targets[0].id: node.value.value
        for _, module in modules()
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def assigned(module: ast.Module) -> set[str]:
    """What is assigned to a variable `reason` anywhere in a module."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == "reason":
                    found |= texts(node.value)
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    found |= {text for name, value in pairs if ast.unparse(name) == "reason" for text in texts(value)}
    return found


def reason_of(call: ast.Call) -> ast.AST | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "reason"), None)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = CALLS.get(name)
    return named if named is not None or at is None or len(call.args) <= at else call.args[at]


def emitted() -> tuple[set[str], set[Source]]:
    """Every reason that the product can give, and the expressions that this test does not understand."""
    found, unknown, named = set(), set(), constants()
    for path, module in modules():
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            node = reason_of(call)
            if node is None:
                continue
            expression = ast.unparse(node)
            computed = COMPUTED.get((path.name, expression), set())
            local = assigned(module) if expression == "reason" else set()
            literal = texts(node) | ({named[expression]} if expression in named else set())
            found |= computed | local | literal
            plain = expression == "reason" and path.name in PLAIN
            if not (computed or local or literal or plain or RELAYED.fullmatch(expression)):
                unknown.add((path.name, expression))
    return found, unknown


def test_every_reason_that_the_code_can_give_is_in_the_catalogue_and_no_other() -> None:
    found, unknown = emitted()
    assert unknown == set(), "a reason that is neither a literal nor among those that this test knows"
    assert found - set(catalogue()) == set(), "not in the catalogue"
    assert set(catalogue()) - found == set(), "given by nothing"


def test_no_reason_stands_twice() -> None:
    every = [reason.name for reasons in SECTIONS.values() for reason in reasons]
    assert sorted(every) == sorted(set(every))


@pytest.mark.parametrize("reason", catalogue().values(), ids=lambda reason: reason.name)
def test_every_entry_says_what_is_seen_why_and_what_to_do(reason: Reason) -> None:
    assert re.fullmatch(r"([A-Z][a-z0-9]+)+", reason.name)
    for text in (reason.symptom, reason.cause, reason.fix or "None."):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert "|" not in text, "it stands in a table"
        assert len(text) < 220


def test_the_page_for_operators_has_every_entry_of_the_catalogue() -> None:
    assert "\n".join([BEGIN, *tables()]) + "\n" in PAGE.read_text(encoding="utf-8"), (
        "run scripts/troubleshooting_page.py"
    )


def test_every_setting_tag_and_reason_that_the_page_names_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    settings = {one.name for one in descriptions()}
    named = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", page))
    assert named - settings == set()
    tags = {tag for _, tag in TAGS}
    assert set(re.findall(r"\belastic-(?:deployments|privatelink[a-z-]*)\b", page)) - tags == set()
    opening = page.split(BEGIN)[0]
    words = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", opening))
    assert words - set(catalogue()) == set()


@pytest.mark.parametrize(
    ("type_", "reason", "hop"),
    [
        (c.ZONE_READY, "Missing", Hop.DNS),
        (c.LINKED, "Missing", Hop.NETWORK),
        (c.POLICY_READY, "Missing", Hop.POLICY),
        (c.LINKED, "RecordHeldByOthers", Hop.DNS),
        (c.ASSOCIATED, "AwaitingApproval", Hop.APPROVAL),
        (c.REACHABLE, "CertificateMismatch", Hop.DNS),
        (c.REACHABLE, "ForbiddenByPolicy", Hop.POLICY),
        (c.REACHABLE, "a reason of the future", Hop.DEPLOYMENT),
        (c.ZONE_READY, "AzureRightsMissing", Hop.DNS),
        (c.REACHABLE, "NoRouteFromApp", Hop.APP),
        ("a type of the future", "a reason of the future", Hop.APP),
    ],
)
def test_a_reason_knows_where_on_the_path_it_is_or_its_condition_does(type_: str, reason: str, hop: Hop) -> None:
    assert hop_of(type_, reason) is hop
