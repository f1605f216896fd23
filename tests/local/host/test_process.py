"""`python -m local.host` as a process: real sockets, real queues in Azurite, and the ends it can come to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.storage.queue import QueueClient

from local.host.launch import host_command
from local.process.child import Child
from local.storage import azurite
from local.storage.azurite import Azurite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLE = Path(__file__).parent / "sample_app"
EVENT = {"id": "1", "subject": "/subscriptions/s", "eventType": "T", "data": {}}
needs_azurite = pytest.mark.skipif(azurite.find_executable() is None, reason="Azurite is not installed: make setup")


def wait_for(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Real time on purpose: another process does the work."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


class Process:
    """A host process and what a test asks of it."""

    def __init__(self, folder: Path, app_dir: Path, storage: str, **settings: str) -> None:
        self.ready_file = folder / "ready.json"
        self.ready_file.unlink(missing_ok=True)
        keys = folder / "keys.json"
        environ = {**os.environ, "LOCAL_HOST": "small"}
        command = host_command(app_dir, 0, ready_file=self.ready_file, keys_file=keys, message_lease=2, environ=environ)
        own = {"AzureWebJobsStorage": storage, "WORK_QUEUE": "work", "TICK": "0 0 0 1 1 *", **settings}
        self._log, self._keys_file = folder / "host.log", keys
        environment = {**environ, **command.environment, **own}
        self.child = Child(command.argv, env=environment, cwd=command.cwd, log=self._log)

    def output(self) -> str:
        """All that it wrote: the child itself keeps but the end, which the next requests fill."""
        return self._log.read_text(errors="replace")

    def url(self) -> str:
        wait_for(lambda: self.ready_file.exists() or self.child.returncode is not None)
        assert self.child.returncode is None, self.child.output()
        return str(json.loads(self.ready_file.read_text())["url"])

    def keys(self) -> dict[str, str]:
        self.url()  # the keys are there once it answers
        value = json.loads(self._keys_file.read_text())
        return {"function": value["functionKeys"][0]["value"], "system": value["systemKeys"][0]["value"]}

    def seen(self) -> list[str]:
        answer = httpx.get(f"{self.url()}/api/seen", headers={"x-functions-key": self.keys()["function"]})
        assert answer.status_code == 200
        return list(answer.json())

    def deliver(self, *events: dict[str, Any]) -> httpx.Response:
        query = {"functionName": "take_event", "code": self.keys()["system"]}
        headers = {"aeg-event-type": "Notification"}
        return httpx.post(f"{self.url()}/runtime/webhooks/eventgrid", params=query, json=list(events), headers=headers)


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    running = Azurite.start()
    yield running.connection_string
    running.stop()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(app_dir: Path = SAMPLE, storage: str = "", **settings: str) -> Process:
        started.append(Process(tmp_path, app_dir, storage, **settings))
        return started[-1]

    yield start
    for process in started:
        process.child.stop()


@pytest.mark.azurite
@needs_azurite
def test_an_event_goes_through_webhook_and_queue_to_the_function(host: Callable[..., Process], storage: str) -> None:
    process = host(storage=storage, WORK_QUEUE="through")
    assert process.deliver(EVENT).status_code == 202
    wait_for(lambda: "/subscriptions/s" in process.seen())
    assert process.seen()[0] == "tick"
    # The host writes this line a moment after the function's effect is seen.
    wait_for(lambda: "Executed 'Functions.do_work' (Succeeded" in process.output())
    assert "/subscriptions/s" not in process.output()
    assert process.child.stop() == 0


@pytest.mark.azurite
@needs_azurite
def test_a_failing_message_ends_in_the_poison_queue(host: Callable[..., Process], storage: str) -> None:
    process = host(storage=storage, WORK_QUEUE="failing")
    assert process.deliver({**EVENT, "subject": "bad"}).status_code == 202
    with QueueClient.from_connection_string(storage, "failing-poison") as poison:

        def poisoned() -> list[str]:
            try:
                return [message.content for message in poison.peek_messages()]
            except Exception:  # noqa: BLE001 - the queue does not exist before it is needed
                return []

        assert wait_for(poisoned) == ["YmFk"]
    assert process.seen().count("bad") == 2


@pytest.mark.azurite
@needs_azurite
def test_after_a_kill_the_next_host_takes_what_was_left_with_the_same_keys(
    host: Callable[..., Process], storage: str
) -> None:
    with QueueClient.from_connection_string(storage, "killed") as queue:
        queue.create_queue()  # the host makes it too, but answers before that
    first = host(storage=storage, WORK_QUEUE="killed")
    first.url()
    keys = first.keys()
    os.kill(first.child.pid, signal.SIGKILL)
    assert first.child.wait(10) == -signal.SIGKILL
    with QueueClient.from_connection_string(storage, "killed") as queue:
        queue.send_message("bGVmdA==")
    second = host(storage=storage, WORK_QUEUE="killed")
    wait_for(lambda: "left" in second.seen())
    assert second.keys() == keys


@pytest.mark.real_time
def test_http_and_timers_go_on_while_storage_is_away(host: Callable[..., Process]) -> None:
    account = "http://127.0.0.1:9/devstoreaccount1"
    process = host(storage=f"AccountName=a;AccountKey=a2V5;QueueEndpoint={account};", TICK="* * * * * *")
    wait_for(lambda: process.seen().count("tick") >= 2)
    assert process.deliver(EVENT).status_code == 500  # what cannot be enqueued is not acknowledged
    assert "cannot be polled" in process.output()
    assert process.child.stop() == 0


def broken(folder: Path, code: str) -> Path:
    app = folder / "app"
    app.mkdir()
    shutil.copy(SAMPLE / "host.json", app)
    (app / "function_app.py").write_text(code)
    return app


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_like_this", "cannot be imported: ModuleNotFoundError"),
        ("import azure.functions as func\napp = func.FunctionApp()", "the app has no functions"),
        ("print('no app')", "exactly one FunctionApp"),
    ],
)
def test_an_app_that_cannot_run_ends_the_host_with_the_reason(
    host: Callable[..., Process], tmp_path: Path, code: str, reason: str
) -> None:
    process = host(broken(tmp_path, code), storage="UseDevelopmentStorage=true")
    assert process.child.wait(30) == 1
    assert reason in process.output()


@pytest.mark.real_time
def test_a_missing_setting_ends_the_host_with_its_name(host: Callable[..., Process]) -> None:
    process = host(storage="")
    assert process.child.wait(30) == 1
    assert "'AzureWebJobsStorage'" in process.output()
