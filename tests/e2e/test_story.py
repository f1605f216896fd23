"""`make run`: the story that it tells is true, from the first line to the printed curl."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e_instance import Instance

from shared.core.conditions import ORDER

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-story")]


def nothing_listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) != 0


def test_the_story_ends_ready_and_what_it_prints_works(tmp_path: Path) -> None:
    story = Instance(tmp_path / "local", "--approval-seconds", "2", command="story")
    try:
        story.wait_for("Running until Ctrl-C", 150)
        output, endpoints = story.output, story.endpoints
        for condition in ORDER:
            assert re.search(rf"\d+\.\d s  ✓ {condition} ", output), f"{condition} is not seen turning:\n{output}"
        assert re.search(
            r"elasticsearch +https://\S+\.es\.privatelink\.eastus2\.azure\.elastic-cloud\.com:9243", output
        )
        curl = next(line.strip() for line in output.splitlines() if line.strip().startswith("curl -i"))
        status = next(line.strip() for line in output.splitlines() if "/api/connections/" in line)
        assert shutil.which("curl"), "the printed test is a curl"
        answer = subprocess.run(curl, shell=True, capture_output=True, text=True, timeout=30, check=True)
        assert answer.stdout.startswith("HTTP/1.1 401")
        assert "x-elastic-product: elasticsearch" in answer.stdout.lower()
        shown = subprocess.run(status, shell=True, capture_output=True, text=True, timeout=30, check=True)
        assert '"phase": "Ready"' in shown.stdout
    finally:
        exit_status = story.stop()
    assert exit_status == 0
    for name in ("arm", "elastic", "functions", "identity"):
        assert nothing_listens(endpoints[name]), f"{name} still answers"
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in left, "a process of the story outlived it"


def test_once_ends_by_itself(tmp_path: Path) -> None:
    story = Instance(tmp_path / "local", "--approval-seconds", "1", command="story", ONCE="1")
    try:
        assert story.process.wait(150) == 0, story.output
        assert "The connection is Ready" in story.output
    finally:
        story.stop()


def test_a_failure_is_clear_and_ends_non_zero(tmp_path: Path) -> None:
    """Nobody consents to the deployment: the story cannot end well, and says why and what to do."""
    story = Instance(
        tmp_path / "local", "--approval-seconds", "1", command="story", ONCE="1", ELASTIC_DEPLOYMENTS_ALLOWED=""
    )
    try:
        assert story.process.wait(150) == 1, story.output
        assert "DeploymentNotAllowed" in story.output
        assert "ELASTIC_DEPLOYMENTS_ALLOWED" in story.output.split("failed:")[1]
    finally:
        story.stop()
