"""The syntax tree of a Bicep template: what `parser` makes and the tests of the templates read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(slots=True, eq=False)
class Node:
    """A part of a template."""

    def children(self) -> Iterator[Node]:
        """The parts of which it consists."""
        for one in fields(self):
            value = getattr(self, one.name)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, Node):
                    yield part


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo += one.children()


@dataclass(slots=True, eq=False)
class Ident(Node):
    """A name where it is declared."""

    name: str


# -- expressions


@dataclass(slots=True, eq=False)
class Str(Node):
    """A string; `segments` stand before, between and after the `holes`."""

    segments: list[str]
    holes: list[Node]

    @property
    def literal(self) -> str:
        """The text of a string without holes."""
        assert not self.holes, self.segments
        return self.segments[0]


@dataclass(slots=True, eq=False)
class Num(Node):
    value: int


@dataclass(slots=True, eq=False)
class Bool(Node):
    value: bool


@dataclass(slots=True, eq=False)
class Null(Node):
    pass


@dataclass(slots=True, eq=False)
class Prop(Node):
    """A property; its key is an `Ident` or a `Str`, which may have holes."""

    key: Ident | Str
    value: Node

    @property
    def name(self) -> str | None:
        """None: only the deployment knows it."""
        if isinstance(self.key, Ident):
            return self.key.name
        return None if self.key.holes else self.key.literal


@dataclass(slots=True, eq=False)
class Spread(Node):
    """The properties of another object, among those of an object."""

    value: Node


@dataclass(slots=True, eq=False)
class Obj(Node):
    """An object; in a resource's braces resources may stand too."""

    items: list[Node]


@dataclass(slots=True, eq=False)
class Arr(Node):
    items: list[Node]


@dataclass(slots=True, eq=False)
class For(Node):
    item: Ident
    index: Ident | None
    source: Node
    body: Node


@dataclass(slots=True, eq=False)
class If(Node):
    condition: Node
    body: Node


@dataclass(slots=True, eq=False)
class Var(Node):
    """A name where it is used."""

    name: str


@dataclass(slots=True, eq=False)
class Call(Node):
    name: str
    args: list[Node]


@dataclass(slots=True, eq=False)
class Access(Node):
    """`base.name`, or `base.?name` if `safe`."""

    base: Node
    name: Ident
    safe: bool


@dataclass(slots=True, eq=False)
class Index(Node):
    base: Node
    index: Node


@dataclass(slots=True, eq=False)
class Nested(Node):
    """`parent::child`."""

    base: Node
    name: Ident


@dataclass(slots=True, eq=False)
class Unary(Node):
    op: str
    value: Node


@dataclass(slots=True, eq=False)
class Binary(Node):
    op: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Ternary(Node):
    condition: Node
    yes: Node
    no: Node


@dataclass(slots=True, eq=False)
class Paren(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Lambda(Node):
    params: list[Ident]
    body: Node


# -- types


@dataclass(slots=True, eq=False)
class TName(Node):
    name: str


@dataclass(slots=True, eq=False)
class TArray(Node):
    item: Node


# -- declarations


@dataclass(slots=True, eq=False)
class Decorator(Node):
    name: str
    args: list[Node]


@dataclass(slots=True, eq=False)
class Statement(Node):
    decorators: list[Decorator]


@dataclass(slots=True, eq=False)
class TargetScope(Statement):
    value: Node


@dataclass(slots=True, eq=False)
class ParamDecl(Statement):
    name: Ident
    type: Node
    default: Node | None


@dataclass(slots=True, eq=False)
class ParamValue(Statement):
    """What a parameter file gives a parameter."""

    name: Ident
    value: Node


@dataclass(slots=True, eq=False)
class Using(Statement):
    """The template of a parameter file."""

    path: Str


@dataclass(slots=True, eq=False)
class VarDecl(Statement):
    name: Ident
    value: Node


@dataclass(slots=True, eq=False)
class ResourceDecl(Statement):
    """`value` is an `Obj`, an `If` or a `For`; so is a module's."""

    name: Ident
    type: Str
    existing: bool
    value: Node


@dataclass(slots=True, eq=False)
class ModuleDecl(Statement):
    name: Ident
    path: Str
    value: Node


@dataclass(slots=True, eq=False)
class OutputDecl(Statement):
    name: Ident
    type: Node
    value: Node
