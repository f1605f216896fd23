"""The templates deployed on paper: every expression worked out, module by module, into the resources that are made.

As Azure Resource Manager does it:

* where a module goes and what a resource is called is worked out before the condition, also of what is left out
  (https://github.com/Azure/azure-resource-manager-schemas/issues/1067); an index out of bounds fails the deployment;
* values must keep what the parameters' decorators say; a resource can be made once only;
* a module must be deployed to the kind of place that it is for.
"""

from __future__ import annotations

import json
import operator
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.paper_azure import Azure, Resource
from tests.infra.paper_functions import FUNCTIONS
from tests.infra.shipped import INFRA
from tests.tools.bicep.parser import parse
from tests.tools.bicep.tree import walk

MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups/"
Names = Mapping[str, Any]
"""What the variables of loops and lambdas stand for."""


def deploy(
    azure: Azure, template: str, subscription: str, parameters: Mapping[str, Any]
) -> tuple[Azure, dict[str, Any]]:
    """Deploy a template of `infra/` to a subscription; what is there then, and the template's outputs."""
    return azure, Template(azure, INFRA / template, f"/subscriptions/{subscription}", parameters).deployed()


def deploy_to_group(azure: Azure, template: str, group: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The same to a management group."""
    return Template(azure, INFRA / template, f"{MANAGEMENT_GROUPS}{group}", parameters).deployed()


@cache
def statements(path: Path) -> tuple[Any, ...]:
    """The declarations of a template."""
    return tuple(parse(path.read_text(encoding="utf-8")))


def comes_first(template: str, name: str) -> set[str]:
    """What must be there before a module or resource: what it speaks of, and what that needs."""
    declared = {one.name.name: one for one in statements(INFRA / template) if kind(one) in DECLARING}
    found: set[str] = set()
    todo = [name]
    while todo:
        nodes = walk(declared[todo.pop()])
        spoken_of = {one.name for one in nodes if kind(one) == "Var"} & declared.keys()
        todo += spoken_of - found
        found |= spoken_of
    return found


def kind(node: Any) -> str:
    return type(node).__name__


class Template:
    """One template at one place, with its parameters."""

    def __init__(self, azure: Azure, path: Path, scope: str, parameters: Mapping[str, Any]) -> None:
        self.azure, self.path, self.scope, self.size = azure, path, scope, 0
        self.known: dict[str, Any] = dict(parameters)
        declared = [one for one in statements(path) if kind(one) == "ParamDecl"]
        assert set(parameters) <= {one.name.name for one in declared}, (path, set(parameters))
        self.declarations = {one.name.name: one for one in statements(path) if kind(one) in DECLARING}
        for one in declared:
            self.keeps_its_word(one)

    def deployed(self) -> dict[str, Any]:
        """Make everything; the outputs."""
        for name in self.declarations:
            self.value(name, {})
        self.azure.sizes.append((self.path.name, self.size))
        return {one.name.name: self.work_out(one.value) for one in statements(self.path) if kind(one) == "OutputDecl"}

    def keeps_its_word(self, parameter: Any) -> None:
        """Azure refuses a value of another type, or that the parameter's decorators exclude."""
        value, told = self.value(parameter.name.name, {}), (self.path.name, parameter.name.name)
        expected = TYPES.get(getattr(parameter.type, "name", ""), object)
        assert isinstance(value, expected), told
        for one in parameter.decorators:
            if one.name in DECORATORS:
                assert DECORATORS[one.name](value, self.work_out(one.args[0])), (told, one.name, value)

    def value(self, name: str, names: Names) -> Any:
        """What a name stands for: of a loop, a parameter, a variable, a resource or a module."""
        if name in names:
            return names[name]
        if name not in self.known:
            one = self.declarations[name]
            work = {"ParamDecl": self.default, "ResourceDecl": self.resource, "ModuleDecl": self.module}
            self.known[name] = work.get(kind(one), lambda given: self.work_out(given.value))(one)
        return self.known[name]

    def default(self, parameter: Any) -> Any:
        assert parameter.default is not None, f"{self.path.name} needs {parameter.name.name}"
        return self.work_out(parameter.default)

    # -- what is made

    def each(self, node: Any, names: Names, made: Callable[[Any, Names], Any]) -> Any:
        """A declaration's body, or that of each turn of its loop."""
        if kind(node) != "For":
            return made(node, names)
        turns = enumerate(self.work_out(node.source, names))
        index = node.index.name if node.index else ""
        return [made(node.body, {**names, node.item.name: one, index: number}) for number, one in turns]

    def resource(self, declaration: Any, parent: Resource | None = None, names: Names | None = None) -> Any:
        return self.each(
            declaration.value, names or {}, lambda node, inner: self.one_resource(declaration, node, inner, parent)
        )

    def one_resource(self, declaration: Any, node: Any, names: Names, parent: Resource | None) -> Resource:
        body, condition = parts(node)
        above = self.work_out(body["parent"], names) if "parent" in body else parent
        name, scope = self.work_out(body["name"], names), self.scope
        if "scope" in body:
            scope = place(self.work_out(body["scope"], names))
        type_, _, api = declaration.type.literal.partition("@")
        if above is not None:
            name, scope = f"{above.name}/{name}", above.scope
            type_ = f"{above.type}/{type_}" if above is parent else type_
        one = Resource(type_, name, scope, api=api or (above.api if above else ""))
        if not declaration.existing and (condition is None or self.work_out(condition, names)):
            one.body = {key: self.work_out(part, names) for key, part in body.items() if key not in WHERE}
            self.azure.make(one)
            self.size += 1
        for inner in (item for item in inside(node) if kind(item) == "ResourceDecl"):
            one.nested[inner.name.name] = self.resource(inner, one, names)
        return one

    def module(self, declaration: Any) -> Any:
        return self.each(declaration.value, {}, lambda node, names: self.one_module(declaration, node, names))

    def one_module(self, declaration: Any, node: Any, names: Names) -> Any:
        body, condition = parts(node)
        scope = place(self.work_out(body["scope"], names)) if "scope" in body else self.scope
        if condition is not None and not self.work_out(condition, names):
            return None
        path = (self.path.parent / declaration.path.literal).resolve()
        target = [self.work_out(one.value) for one in statements(path) if kind(one) == "TargetScope"]
        assert (target or ["resourceGroup"])[0] == ("resourceGroup" if "/resourceGroups/" in scope else "subscription")
        parameters = self.work_out(body["params"], names) if "params" in body else {}
        self.size += 1
        return {"outputs": Template(self.azure, path, scope, parameters).deployed()}

    # -- expressions

    def work_out(self, node: Any, names: Names | None = None) -> Any:
        return getattr(self, f"of_{kind(node).lower()}")(node, names or {})

    def of_str(self, node: Any, names: Names) -> str:
        text = node.segments[0]
        for hole, segment in zip(node.holes, node.segments[1:], strict=True):
            value = self.work_out(hole, names)
            assert isinstance(value, (str, int)), (self.path.name, value)
            text += str(value) + segment
        return str(text)

    def of_num(self, node: Any, names: Names) -> Any:
        return node.value

    of_bool = of_num

    def of_null(self, node: Any, names: Names) -> None:
        return None

    def of_paren(self, node: Any, names: Names) -> Any:
        return self.work_out(node.value, names)

    def of_unary(self, node: Any, names: Names) -> Any:
        value = self.work_out(node.value, names)
        return not value if node.op == "!" else -value

    def of_obj(self, node: Any, names: Names) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for one in node.items:
            value = self.work_out(one.value, names)
            made |= value if kind(one) == "Spread" else {one.name or self.work_out(one.key, names): value}
        return made

    def of_arr(self, node: Any, names: Names) -> list[Any]:
        return [self.work_out(one, names) for one in node.items]

    def of_for(self, node: Any, names: Names) -> Any:
        return self.each(node, names, self.work_out)

    def of_var(self, node: Any, names: Names) -> Any:
        return self.value(node.name, names)

    def of_lambda(self, node: Any, names: Names) -> Callable[..., Any]:
        taken = [one.name for one in node.params]
        return lambda *values: self.work_out(node.body, {**names, **dict(zip(taken, values, strict=True))})

    def of_ternary(self, node: Any, names: Names) -> Any:
        return self.work_out(node.yes if self.work_out(node.condition, names) else node.no, names)

    def of_binary(self, node: Any, names: Names) -> Any:
        left = self.work_out(node.left, names)
        decided = {"&&": not left, "||": bool(left), "??": left is not None}
        if node.op in decided:
            return left if decided[node.op] else self.work_out(node.right, names)
        right = self.work_out(node.right, names)
        return {"==": operator.eq, "!=": operator.ne, "+": operator.add, ">": operator.gt, "<": operator.lt}[node.op](
            left, right
        )

    def of_nested(self, node: Any, names: Names) -> Resource:
        found = self.work_out(node.base, names).nested[node.name.name]
        assert isinstance(found, Resource)
        return found

    def of_index(self, node: Any, names: Names) -> Any:
        base, index = self.work_out(node.base, names), self.work_out(node.index, names)
        if isinstance(base, list):
            assert 0 <= index < len(base), f"{self.path.name}: array index {index} is out of bounds of {base}"
        return base[index]

    def of_access(self, node: Any, names: Names) -> Any:
        base, name = self.work_out(node.base, names), node.name.name
        if base is None:
            assert safely(node), f"{self.path.name}: .{name} of what is left out"
            return None
        if not isinstance(base, Resource):
            return base[name]
        if name == "identity":
            return self.azure.identity(base)
        return {"id": base.id, "name": base.name.split("/")[-1], "properties": self.azure.properties(base)}[name]

    def of_call(self, node: Any, names: Names) -> Any:
        given = [self.work_out(one, names) for one in node.args]
        if node.name in FUNCTIONS:
            return FUNCTIONS[node.name](*given)
        return getattr(self, f"call_{node.name.lower()}")(*given)

    # -- functions that ask where they are

    def call_environment(self) -> dict[str, Any]:
        return self.azure.cloud

    def call_subscription(self, *given: str) -> Any:
        name = given[0] if given else self.scope.split("/")[2]
        assert uuid.UUID(name)
        if given:
            return f"/subscriptions/{name}"
        return {"id": f"/subscriptions/{name}", "subscriptionId": name, "tenantId": str(uuid.UUID(int=7))}

    def call_resourcegroup(self, *given: str) -> Any:
        *subscription, name = given or (self.scope.split("/")[4],)
        assert name, f"{self.path.name}: a resource group without a name"
        inside_of = self.call_subscription(*subscription) if subscription else self.call_subscription()["id"]
        group = Resource("Microsoft.Resources/resourceGroups", name, inside_of)
        return group if not given else group.id

    def call_managementgroup(self) -> dict[str, Any]:
        assert self.scope.startswith(MANAGEMENT_GROUPS), (self.path.name, self.scope)
        return {"id": self.scope, "name": self.scope.removeprefix(MANAGEMENT_GROUPS)}

    def call_subscriptionresourceid(self, type_: str, name: str) -> str:
        return f"{self.call_subscription()['id']}/providers/{type_}/{name}"

    def call_loadjsoncontent(self, name: str) -> Any:
        return json.loads(self.call_loadtextcontent(name))

    def call_loadtextcontent(self, name: str) -> str:
        return (self.path.parent / name).read_text(encoding="utf-8")


class ParameterFile(Template):
    """A parameter file, which reads the environment where it stands."""

    def __init__(self, environment: Mapping[str, str], path: Path) -> None:
        super().__init__(Azure({}), path, "", {})
        self.environment = environment

    def values(self) -> dict[str, Any]:
        """What it gives each parameter."""
        return {one.name.name: self.work_out(one.value) for one in statements(self.path) if kind(one) == "ParamValue"}

    def call_readenvironmentvariable(self, name: str, *otherwise: str) -> str:
        assert otherwise or name in self.environment, f"{name} is not set"
        return self.environment.get(name, *otherwise)


DECLARING = {"ParamDecl", "VarDecl", "ResourceDecl", "ModuleDecl"}
WHERE = {"parent", "scope", "name", "dependsOn"}
TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
DECORATORS: dict[str, Callable[[Any, Any], bool]] = {
    "allowed": lambda value, values: value in values,
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "minValue": lambda value, least: value >= least,
    "maxValue": lambda value, most: value <= most,
}


def inside(node: Any) -> list[Any]:
    """What stands in the braces of a declaration."""
    return list((node.body if kind(node) == "If" else node).items)


def parts(node: Any) -> tuple[dict[str, Any], Any]:
    """The properties of a declaration, and its condition if it has one."""
    properties = {one.name: one.value for one in inside(node) if kind(one) == "Prop"}
    return properties, node.condition if kind(node) == "If" else None


def place(value: Any) -> str:
    """The id of a scope, which is written as a resource or by a function."""
    return value.id if isinstance(value, Resource) else str(value)


def safely(node: Any) -> bool:
    """Whether a chain of properties has `.?` at or before its end."""
    return kind(node) == "Access" and (node.safe or safely(node.base))
