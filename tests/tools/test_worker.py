"""The worker library's environment: found where there is a Python 3.13, and made anew when what it needs changes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tools import worker


def test_it_counts_as_installed_only_with_what_is_needed_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed, installed = tmp_path / "requirements.txt", tmp_path / ".installed"
    monkeypatch.setattr(worker, "REQUIREMENTS", needed)
    monkeypatch.setattr(worker, "INSTALLED", installed)
    needed.write_text("one\n", encoding="utf-8")
    assert "make test" in worker.missing()
    installed.write_text(worker.wanted(), encoding="utf-8")
    assert worker.missing() == ""
    needed.write_text("two\n", encoding="utf-8")
    assert "make test" in worker.missing()


@pytest.mark.real_time
def test_only_a_python_3_13_is_one(tmp_path: Path) -> None:
    program = tmp_path / "python"
    for version in ("3, 12", "3, 13", "3, 14"):
        text = f"#!/bin/sh\nprintf 'import sys; sys.version_info = ({version}, 0)\\n%s' \"$2\" | '{sys.executable}' -\n"
        program.write_text(text, encoding="utf-8")
        program.chmod(0o700)
        assert worker.is_313(str(program)) == (version == "3, 13")


def test_where_none_is_found_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "INSTALLED", tmp_path / ".installed")
    monkeypatch.setattr(worker, "FOLDER", tmp_path / "venv")
    monkeypatch.setattr(worker, "is_313", lambda _program: False)
    worker.install()
    assert list(tmp_path.iterdir()) == []
