"""Expressions of Bicep, which `parser` reads as values of declarations."""

from __future__ import annotations

from collections.abc import Callable

from tests.tools.bicep.tokens import Tokens
from tests.tools.bicep.tree import (
    Access,
    Arr,
    Binary,
    Bool,
    Call,
    For,
    Ident,
    Index,
    Lambda,
    Nested,
    Node,
    Null,
    Num,
    Obj,
    Paren,
    Prop,
    Spread,
    Str,
    Ternary,
    Unary,
    Var,
)

LEVELS = ("??",), ("||",), ("&&",), ("==", "!="), (">", ">=", "<", "<="), ("+", "-"), ("%", "*", "/")
PRECEDENCE = {op: level for level, ops in enumerate(LEVELS, start=1) for op in ops}


class Expressions(Tokens):
    """Reads expressions; `literals` says whether objects and arrays may stand there: not in a string's hole."""

    def expression(self, *, literals: bool = True) -> Node:
        condition = self.binary(0, literals=literals)
        if self.past_newlines().kind != "?":
            return condition
        self.newlines()
        self.take()
        yes = self.expression(literals=literals)
        self.newlines()
        self.expect(":")
        return Ternary(condition, yes, self.expression(literals=literals))

    def binary(self, floor: int, *, literals: bool) -> Node:
        left = self.unary(literals=literals)
        while (level := PRECEDENCE.get(self.token.kind, 0)) > floor:
            op = self.take().kind
            left = Binary(op, left, self.binary(level, literals=literals))
        return left

    def unary(self, *, literals: bool) -> Node:
        if self.token.kind in ("!", "-"):
            return Unary(self.take().kind, self.member(literals=literals))
        return self.member(literals=literals)

    def member(self, *, literals: bool) -> Node:
        """A value, and what is asked of it: a property, an element, a nested resource."""
        node = self.primary(literals=literals)
        while True:
            if self.taken("["):
                node = Index(node, self.expression(literals=literals))
                self.expect("]")
            elif self.taken("."):
                safe = self.taken("?")
                node = Access(node, self.ident(), safe)
            elif self.taken("::"):
                node = Nested(node, self.ident())
            else:
                return node

    def primary(self, *, literals: bool) -> Node:
        kind = self.token.kind
        readers: dict[str, Callable[[], Node]] = {
            "int": lambda: Num(int(self.take().text)),
            "true": lambda: Bool(self.take().kind == "true"),
            "false": lambda: Bool(self.take().kind == "true"),
            "str": self.string,
            "open": self.string,
            "(": self.parenthesis,
            "id": self.name,
        }
        if literals:
            readers |= {"{": self.object_, "[": self.array}
        if kind == "null":
            self.take()
            return Null()
        if kind not in readers:
            raise self.error("an expression is expected")
        return readers[kind]()

    def name(self) -> Node:
        """A variable, a call of a function, or a lambda with one parameter."""
        name = self.take().text
        if self.token.kind == "(":
            return Call(name, self.arguments())
        if self.taken("=>"):
            return self.lambda_([Ident(name)])
        return Var(name)

    def lambda_(self, params: list[Ident]) -> Lambda:
        self.newlines()
        return Lambda(params, self.expression())

    def parenthesis(self) -> Node:
        """An expression in parentheses, or the parameters of a lambda."""
        items = self.arguments()
        if self.taken("=>"):
            names = [one.name for one in items if isinstance(one, Var)]
            if len(names) < len(items):
                raise self.error("parameters of a lambda are plain names")
            return self.lambda_([Ident(one) for one in names])
        if len(items) != 1:
            raise self.error("one expression stands in parentheses")
        return Paren(items[0])

    def arguments(self) -> list[Node]:
        self.expect("(")
        found: list[Node] = []
        self.newlines()
        while not self.taken(")"):
            if found:
                self.expect(",")
                self.newlines()
            found.append(self.expression())
            self.newlines()
        return found

    def string(self) -> Str:
        token = self.expect("str", "open")
        segments, holes = [token.text], []
        while token.kind not in ("str", "close"):
            holes.append(self.expression(literals=False))
            token = self.expect("middle", "close")
            segments.append(token.text)
        return Str(segments, holes)

    def object_(self) -> Obj:
        self.expect("{")
        items: list[Node] = []
        self.elements("}", lambda: items.append(self.object_item()))
        return Obj(items)

    def object_item(self) -> Node:
        return Spread(self.expression()) if self.taken("...") else self.property()

    def property(self) -> Prop:
        key = self.ident() if self.token.kind == "id" else self.string()
        self.expect(":")
        return Prop(key, self.expression())

    def array(self) -> Node:
        inside = self.past_newlines(1)
        if (inside.kind, inside.text) == ("id", "for"):
            return self.for_(self.expression)
        self.expect("[")
        items: list[Node] = []
        self.elements("]", lambda: items.append(self.expression()))
        return Arr(items)

    def for_(self, body: Callable[[], Node]) -> For:
        """A loop, each turn of which is what `body` reads."""
        self.expect("[")
        self.newlines()
        self.expect_word("for")
        index = None
        if self.taken("("):
            item = self.ident()
            self.expect(",")
            index = self.ident()
            self.expect(")")
        else:
            item = self.ident()
        self.expect_word("in")
        source = self.expression()
        self.expect(":")
        loop = For(item, index, source, body())
        self.newlines()
        self.expect("]")
        return loop
