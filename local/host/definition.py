"""From decorated functions to what the host has to run; refuses at start what the real host or worker would refuse.

Called by `FunctionsHost` (index) and `python -m local.host` (load_app). As in Azure, one bad module or one bad function
means that the app has no functions at all; here it says why and ends.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import typing
from dataclasses import dataclass
from typing import Any

import azure.functions as func

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_TRIGGERS: dict[str, tuple[type, ...]] = {
    "httpTrigger": (func.HttpRequest,),
    "queueTrigger": (func.QueueMessage,),
    "timerTrigger": (func.TimerRequest,),
    "eventGridTrigger": (str, func.EventGridEvent, func.CloudEvent)
    if hasattr(func, "CloudEvent")
    else (str, func.EventGridEvent),
}
_SETTING = re.compile(r"%([^%]+)%")
RETURN = "$return"


class HostError(Exception):
    """The app cannot be run; the message lists all reasons."""


@dataclass(frozen=True)
class QueueOutput:
    """A queue that a function's `func.Out` (or its return value) is sent to."""

    argument: str
    queue: str
    connection: str


@dataclass(frozen=True)
class FunctionDefinition:
    """One function, its trigger with all `%SETTING%` filled in, and its outputs."""

    name: str
    function: Callable[..., Any]
    trigger: str
    argument: str
    annotation: Any
    options: Mapping[str, Any]
    outputs: tuple[QueueOutput, ...]
    wants_context: bool

    @property
    def returns_output(self) -> bool:
        """Whether the return value means something: an HTTP answer or a queue message."""
        return self.trigger == "httpTrigger" or any(output.argument == RETURN for output in self.outputs)


def load_app(app_dir: Path) -> func.FunctionApp:
    """Import `function_app.py` of `app_dir` and return the one app in it."""
    sys.path.insert(0, str(app_dir.resolve()))
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        raise HostError(f"function_app cannot be imported: {type(error).__name__}: {error}") from error
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len({id(app) for app in apps}) != 1:
        raise HostError(f"function_app must hold exactly one FunctionApp at module level, it holds {len(apps)}")
    return typing.cast("func.FunctionApp", apps[0])


def index(app: func.FunctionApp, environ: Mapping[str, str]) -> list[FunctionDefinition]:
    """Return all functions of the app, or raise `HostError` with everything that is wrong."""
    app.functions_bindings = None  # the library counts names across calls and would call a second indexing a duplicate
    try:
        functions = app.get_functions()
    except ValueError as error:
        raise HostError(str(error)) from error
    if not functions:
        raise HostError("the app has no functions")
    definitions, problems = [], []
    for function in functions:
        try:
            definitions.append(_define(function, environ))
        except HostError as error:
            problems.append(f"{function.get_function_name()}: {error}")
    if problems:
        raise HostError("; ".join(problems))
    return definitions


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace each `%SETTING%` by the app setting of that name."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise HostError(f"the app setting {match[1]!r}, named in {text!r}, is missing")
        return environ[match[1]]

    return _SETTING.sub(value, text)


def _define(function: Any, environ: Mapping[str, str]) -> FunctionDefinition:
    trigger = function.get_trigger().get_dict_repr()
    kind = str(trigger["type"])
    if kind not in _TRIGGERS:
        raise HostError(f"trigger {kind!r} is not supported by the local host")
    if function.get_setting("retry_policy") is not None:
        raise HostError("retry policies are not supported by the local host")
    outputs = []
    for binding in (one.get_dict_repr() for one in function.get_bindings() if one is not function.get_trigger()):
        if binding["type"] == "queue":
            queue = expand(binding["queueName"], environ)
            outputs.append(QueueOutput(binding["name"], queue, binding["connection"]))
        elif not (binding["type"] == "http" and kind == "httpTrigger"):
            raise HostError(f"binding {binding['type']!r} is not supported by the local host")
    code = function.get_user_function()
    _check_arguments(code, {trigger["name"], *(output.argument for output in outputs)} - {RETURN})
    annotation = _annotations(code).get(trigger["name"])
    if annotation is not None and annotation not in _TRIGGERS[kind]:
        raise HostError(f"argument {trigger['name']!r} of a {kind} is annotated {annotation!r}")
    options = {key: expand(value, environ) if isinstance(value, str) else value for key, value in trigger.items()}
    wants_context = "context" in inspect.signature(code).parameters
    name = str(function.get_function_name())
    return FunctionDefinition(
        name, code, kind, trigger["name"], annotation, options, tuple(outputs), wants_context=wants_context
    )


def _annotations(code: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(code)
    except (NameError, TypeError) as error:  # e.g. a type that is imported for the type checker only
        raise HostError(f"its annotations cannot be evaluated: {error}") from error


def _check_arguments(code: Callable[..., Any], bound: set[str]) -> None:
    parameters = inspect.signature(code).parameters
    with_default = [name for name, one in parameters.items() if one.default is not inspect.Parameter.empty]
    if with_default:
        raise HostError(f"arguments with a default are not allowed: {', '.join(with_default)}")
    unbound, missing = parameters.keys() - bound - {"context"}, bound - parameters.keys()
    if unbound or missing:
        raise HostError(f"arguments without a binding: {sorted(unbound)}; bindings without argument: {sorted(missing)}")
