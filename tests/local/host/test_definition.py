"""What the real host or worker would refuse is refused at start, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.functions as func  # noqa: TC002 - the host evaluates the annotations of functions
import pytest

from local.host import HostError, HostSettings, Keys, index
from local.host.routes import compile_route
from local.host.settings import SettingsError, time_span
from local.host.storage_queues import StorageQueueService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


ENVIRONMENT = {"WORK_QUEUE": "work"}


def test_an_app_without_functions_is_refused(app: func.FunctionApp) -> None:
    with pytest.raises(HostError, match="no functions"):
        index(app, {})


def test_two_functions_of_one_name_are_refused(app: func.FunctionApp) -> None:
    @app.route(route="a")
    def same(req: func.HttpRequest) -> str:
        return ""

    @app.function_name("same")
    @app.route(route="b")
    def other(req: func.HttpRequest) -> str:
        return ""

    with pytest.raises(HostError, match="unique"):
        index(app, {})


def test_an_app_can_be_indexed_again(app: func.FunctionApp) -> None:
    @app.route(route="a")
    def one(req: func.HttpRequest) -> str:
        return ""

    assert [definition.name for definition in index(app, {})] == ["one"]
    assert [definition.name for definition in index(app, {})] == ["one"]


def test_bindings_that_this_host_has_not_are_named(app: func.FunctionApp) -> None:
    @app.blob_trigger(arg_name="blob", path="x", connection="C")
    def on_blob(blob: func.InputStream) -> None:
        return None

    @app.route(route="a")
    @app.blob_output(arg_name="blob", path="x", connection="C")
    def to_blob(req: func.HttpRequest, blob: func.Out[str]) -> str:
        return ""

    with pytest.raises(HostError, match=r"on_blob: trigger 'blobTrigger'.*; to_blob: binding 'blob'"):
        index(app, {})


def test_a_missing_app_setting_is_named(app: func.FunctionApp) -> None:
    @app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
    def work(message: func.QueueMessage) -> None:
        return None

    with pytest.raises(HostError, match="'WORK_QUEUE'"):
        index(app, {})
    assert index(app, ENVIRONMENT)[0].options["queueName"] == "work"


def with_default(event: str, other: int = 1) -> None:
    return None


def wrong_name(happening: str) -> None:
    return None


def wrong_type(event: dict[str, Any]) -> None:
    return None


def unknown_type(event: Path) -> None:
    return None


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (with_default, "default"),
        (wrong_name, "without a binding"),
        (wrong_type, "annotated"),
        (unknown_type, "cannot be evaluated"),
    ],
)
def test_arguments_that_the_worker_cannot_fill_are_refused(
    app: func.FunctionApp, function: Callable[..., None], reason: str
) -> None:
    app.event_grid_trigger(arg_name="event")(function)
    with pytest.raises(HostError, match=reason):
        index(app, {})


def test_a_route_that_this_host_cannot_match_is_refused(app: func.FunctionApp) -> None:
    @app.route(route="a/{id:regex(x)}")
    def one(req: func.HttpRequest) -> str:
        return ""

    with pytest.raises(HostError, match="does not know"):
        compile_route(index(app, {})[0], "api")


def test_a_connection_without_a_connection_string_is_refused() -> None:
    with pytest.raises(HostError, match="'AzureWebJobsStorage'"):
        StorageQueueService({"AzureWebJobsStorage__queueServiceUri": "https://x"}).queue("AzureWebJobsStorage", "work")


def test_settings_have_the_real_hosts_defaults() -> None:
    queues = HostSettings.parse({"version": "2.0"}).queues
    assert (queues.batch_size, queues.new_batch_threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout, queues.max_polling_interval, queues.lease) == (0, 60, 600)


@pytest.mark.parametrize(("text", "seconds"), [("00:00:30", 30), ("1.02:03:04.5", 93784.5), ("10:00:00", 36000)])
def test_time_spans(text: str, seconds: float) -> None:
    assert time_span(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"version": "2.0", "functionTimeout": "soon"},
        {"version": "2.0", "extensions": {"queues": {"batchSize": 33}}},
        {"version": "2.0", "extensions": {"queues": {"messageEncoding": "hex"}}},
    ],
)
def test_a_host_json_that_the_real_host_refuses_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        HostSettings.parse(value)


def test_keys_outlive_a_restart_and_are_private(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = Keys.load_or_create(path)
    assert Keys.load_or_create(path) == first
    assert path.stat().st_mode & 0o077 == 0
    assert first.master not in repr(first)
    assert len({first.master, first.function, first.event_grid}) == 3
