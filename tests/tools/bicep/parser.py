"""Reads a Bicep template or parameter file into its syntax tree; `tests/infra/paper_bicep.py` deploys that on paper.

It knows the part of Bicep that the project's templates use, and refuses the rest with the line where it stands: types
and functions that a template declares, imports, strings of several lines. The compiler judges them in CI.
"""

from __future__ import annotations

from tests.tools.bicep.expressions import Expressions
from tests.tools.bicep.tree import (
    Decorator,
    If,
    ModuleDecl,
    Node,
    Obj,
    OutputDecl,
    ParamDecl,
    ParamValue,
    ResourceDecl,
    Statement,
    TargetScope,
    TArray,
    TName,
    Using,
    VarDecl,
)


def parse(text: str) -> list[Statement]:
    """The declarations of a template; raises `BicepSyntaxError`."""
    return Parser(text).statements()


class Parser(Expressions):
    """Reads declarations."""

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        self.newlines()
        while self.token.kind != "end":
            found.append(self.statement())
            if self.token.kind != "end":
                self.expect("nl")
            self.newlines()
        return found

    def statement(self) -> Statement:
        decorators = self.decorators()
        readers = {
            "targetScope": self.target_scope,
            "using": self.using,
            "param": self.param,
            "var": self.var,
            "resource": self.resource,
            "module": self.module,
            "output": self.output,
        }
        if self.token.text not in readers:
            raise self.error(f"a declaration is expected ({', '.join(readers)})")
        return readers[self.take().text](decorators)

    def decorators(self) -> list[Decorator]:
        found: list[Decorator] = []
        while self.taken("@"):
            name = self.ident().name
            found.append(Decorator(name, self.arguments()))
            self.expect("nl")
            self.newlines()
        return found

    # -- declarations, behind their first word

    def target_scope(self, decorators: list[Decorator]) -> Statement:
        return TargetScope(decorators, self.value())

    def using(self, decorators: list[Decorator]) -> Statement:
        return Using(decorators, self.string())

    def param(self, decorators: list[Decorator]) -> Statement:
        name = self.ident()
        if self.token.kind == "=":
            return ParamValue(decorators, name, self.value())
        kind = self.type_()
        return ParamDecl(decorators, name, kind, self.value() if self.token.kind == "=" else None)

    def var(self, decorators: list[Decorator]) -> Statement:
        return VarDecl(decorators, self.ident(), self.value())

    def resource(self, decorators: list[Decorator]) -> ResourceDecl:
        name, kind = self.ident(), self.string()
        existing = self.taken_word("existing")
        self.expect("=")
        return ResourceDecl(decorators, name, kind, existing, self.body(resource=True))

    def module(self, decorators: list[Decorator]) -> Statement:
        name, path = self.ident(), self.string()
        self.expect("=")
        return ModuleDecl(decorators, name, path, self.body(resource=False))

    def output(self, decorators: list[Decorator]) -> Statement:
        return OutputDecl(decorators, self.ident(), self.type_(), self.value())

    # -- their parts

    def value(self) -> Node:
        self.expect("=")
        return self.expression()

    def type_(self) -> Node:
        """A type by name, or arrays of it."""
        found: Node = TName(self.expect("id").text)
        while self.taken("["):
            self.expect("]")
            found = TArray(found)
        return found

    def body(self, *, resource: bool) -> Node:
        """What a resource or a module is made of: an object, under a condition or for each turn of a loop."""
        if self.token.kind == "[":
            return self.for_(lambda: self.conditional(resource=resource))
        return self.conditional(resource=resource)

    def conditional(self, *, resource: bool) -> Node:
        read = self.resource_object if resource else self.object_
        if not self.taken_word("if"):
            return read()
        return If(self.parenthesis(), read())

    def resource_object(self) -> Obj:
        self.expect("{")
        items: list[Node] = []
        self.elements("}", lambda: items.append(self.resource_item()))
        return Obj(items)

    def resource_item(self) -> Node:
        """A property, or a resource that is nested."""
        nested = self.is_word("resource") and self.tokens[self.at + 1].kind == "id"
        if not nested and self.token.kind != "@":
            return self.property()
        decorators = self.decorators()
        self.expect_word("resource")
        return self.resource(decorators)
