"""The tests' own reader of Bicep: what it understands, and that it refuses the rest with the line where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.shipped import INFRA
from tests.tools.bicep.lexer import BicepSyntaxError
from tests.tools.bicep.parser import parse
from tests.tools.bicep.tree import (
    Access,
    Binary,
    For,
    If,
    Index,
    Lambda,
    ModuleDecl,
    Nested,
    Obj,
    ParamDecl,
    ResourceDecl,
    Spread,
    Str,
    Ternary,
    VarDecl,
    walk,
)

TEMPLATES = sorted(INFRA.rglob("*.bicep"))
REFUSED = {
    "an open string": ("var a = 1\nvar b = 'text\n", 2),
    "an unknown escape": (r"var a = '\q'", 1),
    "an unknown character": ("\n\nvar a = ~1", 3),
    "a string of several lines": ("var a = '''\ntext\n'''", 1),
    "a hole over lines": ("var a = '${\nb}'", 1),
    "no value": ("var a =\nvar b = 1", 1),
    "two on one line": ("var a = 1 var b = 2", 1),
    "an unknown declaration": ("type a = string", 1),
    "an operator without a right side": ("var a = 1 +\n", 1),
    "two in parentheses": ("var a = (1, 2)", 1),
    "an open bracket": ("var a = [1\n", 2),
    "an open parenthesis": ("var a = f(1\n", 2),
    "arguments without a comma": ("var a = f(1 2)", 1),
    "an object in a hole": ("var a = '${{}}'", 1),
    "a parameter without a type": ("param a\n", 1),
    "a decorator without a declaration": ("@secure()\n", 2),
    "a loop without its list": ("var a = [for x: x]", 1),
    "a condition without parentheses": ("module a 'a.bicep' = if true {}", 1),
    "a lambda of an expression": ("var a = map(b, (1 + 1) => 2)", 1),
    "a spread in an array": ("var a = [...b]", 1),
}


def value(text: str) -> Any:
    """What a variable is, as it is read."""
    [found] = parse(f"var a = {text}\n")
    assert isinstance(found, VarDecl)
    return found.value


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_is_read_and_no_declaration_is_lost(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    words = ("targetScope", "param", "var", "resource", "module", "output")
    begun = [line for line in text.splitlines() if line.startswith(tuple(f"{word} " for word in words))]
    assert len(parse(text)) == len(begun) > 0


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused_with_its_line(case: str) -> None:
    text, line = REFUSED[case]
    with pytest.raises(BicepSyntaxError, match=rf"^line {line}: "):
        parse(text)


def test_operators_bind_as_in_bicep() -> None:
    found = value("a || b && c == 1 + 2 * 3")
    ops = []
    while isinstance(found, Binary):
        ops.append(found.op)
        found = found.right
    assert ops == ["||", "&&", "==", "+", "*"]
    left = value("1 - 2 - 3")
    assert isinstance(left.left, Binary)
    assert value("!a == b").op == "=="


def test_a_conditional_may_go_over_lines() -> None:
    found = value("a\n  ? 'b'\n  : c ? 1 : 2")
    assert isinstance(found, Ternary)
    assert isinstance(found.no, Ternary)


def test_a_string_has_segments_holes_and_escapes() -> None:
    found = value(r"'it\'s ${a} in ${'b${c}'}, \${no} \u{e9} $1 {}'")
    assert found.segments == ["it's ", " in ", ", ${no} é $1 {}"]
    assert isinstance(found.holes[1], Str)
    with pytest.raises(AssertionError):
        assert found.literal


def test_chains_lambdas_loops_and_objects() -> None:
    found = value("a::b.c[0].?d")
    assert isinstance(found, Access)
    assert found.safe
    assert isinstance(found.base, Index)
    assert isinstance(found.base.base.base, Nested)
    one, two = value("f(x => x, (x, y) => { 'k${x}': y, plain: 1 })").args
    assert isinstance(one, Lambda)
    assert [p.name for p in two.params] == ["x", "y"]
    assert [prop.name for prop in two.body.items] == [None, "plain"]
    spread, _ = value("{ ...(a ? b : {})\n c: 1 }").items
    assert isinstance(spread, Spread)
    loop = value("[\n  for (x, i) in b: {\n    c: x // end\n  }\n]")
    assert isinstance(loop, For)
    assert (loop.item.name, loop.index.name) == ("x", "i")


def test_declarations_with_all_their_parts() -> None:
    text = """
@description('What it is')
@allowed([
  'a'
  'b'
])
param p string[] = ['a', 'b'] /* over
lines */
#disable-next-line some-rule
resource r 'T/r@1' existing = { name: 'r' }
resource s 'T/s@1' = if (p != []) {
  name: 's'
  @batchSize(1)
  resource inner 'kind' = { name: 'x' }
}
module m 'm.bicep' = [for one in p: if (one == 'a') { name: one }]
"""
    p, r, s, m = parse(text)
    assert isinstance(p, ParamDecl)
    assert [one.name for one in p.decorators] == ["description", "allowed"]
    assert isinstance(r, ResourceDecl)
    assert r.existing
    assert isinstance(s, ResourceDecl)
    assert isinstance(s.value, If)
    assert isinstance(s.value.body, Obj)
    assert [one.name.name for one in s.value.body.items if isinstance(one, ResourceDecl)] == ["inner"]
    assert isinstance(m, ModuleDecl)
    assert isinstance(m.value, For)
    assert isinstance(m.value.body, If)
    assert sum(isinstance(one, Str) for one in walk(m)) == 2
