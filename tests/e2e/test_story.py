"""`make run`: the story that it tells is true, from the first line to the printed curl."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e_instance import Instance

from local.cli import next_steps
from shared.core.model.conditions import CLAIMED, FORMER_REMOVED, ORDER, REMOVED

pytestmark = [pytest.mark.e2e, pytest.mark.every_python]

STORY_SECONDS = 150
Tell = Callable[..., Instance]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Start a story; it ends with the test, passed or failed."""
    stories: list[Instance] = []

    def start(name: str, **environment: str) -> Instance:
        stories.append(Instance(tmp_path / name, "--approval-seconds", "2", command="story", **environment))
        return stories[-1]

    yield start
    for story in stories:
        story.stop()


def nothing_listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) != 0


def paste(line: str) -> str:
    """Run a line of the output in a shell, as a reader does."""
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=STORY_SECONDS, check=True).stdout  # noqa: S602 - a pasted line is one for the shell


def command_lines() -> str:
    """The command lines of all that runs on this machine."""
    return subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607 - wherever ps is


def test_the_story_ends_ready_and_nothing_of_it_outlives_it(tell: Tell, tmp_path: Path) -> None:
    story = tell("local").wait_for("Running until Ctrl-C", STORY_SECONDS)
    output, endpoints = story.output, story.endpoints
    for condition in (one for one in ORDER if one not in {CLAIMED, REMOVED, FORMER_REMOVED}):  # of others' stories
        assert re.search(rf"\d+\.\d s  ✓ {condition} ", output), f"{condition} is not seen turning:\n{output}"
    assert re.search(r"elasticsearch +https://\S+\.es\.privatelink\.eastus2\.azure\.elastic-cloud\.com:9243", output)
    assert re.search(r"^  http://127\.0\.0\.1:\d+/api/dashboard#code=\S{20,}$", output, re.MULTILINE)
    if shutil.which("curl"):
        what_it_prints_works(output)
    assert str(tmp_path) in command_lines(), "the search below looks in the right place"
    assert story.stop() == 0
    for name in ("arm", "elastic", "functions", "identity"):
        assert nothing_listens(endpoints[name]), f"{name} still answers"
    assert str(tmp_path) not in command_lines(), "a process of the story outlived it"


def what_it_prints_works(output: str) -> None:
    lines = [line.strip() for line in output.splitlines()]
    test = next(line for line in lines if line.startswith("curl -i"))
    status = next(line for line in lines if "/api/connections/" in line)
    answer = paste(test)
    assert answer.startswith("HTTP/1.1 401")
    assert "x-elastic-product: elasticsearch" in answer.lower()
    assert '"phase": "Ready"' in paste(status)
    tries = [line for line in lines if line.startswith(".venv/bin/python -m local")]
    local = tries[0].split(" rest ")[0]
    assert [line for line in next_steps.several_networks(local) if line not in tries] == []
    assert any(line.startswith(f"{local} connect eastus2 --serverless") for line in tries)
    (networks,) = (line for line in tries if line.startswith(f"{local} network  "))
    assert "vnet-pe-story" in paste(networks.replace(".venv/bin/python", sys.executable))
    (status,) = (line for line in tries if line.startswith(f"{local} status"))
    assert re.search("Ready .* pe-story ", paste(status.replace(".venv/bin/python", sys.executable))), (
        "of this instance"
    )


def test_once_it_ends_by_itself_and_its_exit_status_says_how(tell: Tell) -> None:
    """Two at once. The deployment of the second has no consent: it cannot end well, and says what to do."""
    good = tell("good", ONCE="1")
    bad = tell("bad", ONCE="1", ELASTIC_DEPLOYMENTS_ALLOWED="")
    assert good.process.wait(STORY_SECONDS) == 0, good.output
    assert "The connection is Ready" in good.output
    assert bad.process.wait(STORY_SECONDS) == 1, bad.output
    assert "DeploymentNotAllowed" in bad.output
    assert "ELASTIC_DEPLOYMENTS_ALLOWED" in bad.output.split("failed:")[1]
