"""The table of planted bugs stays usable: each can still be planted, and its tests are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.lives import LIVES
from tests.planted import __main__ as command
from tests.planted import plant
from tests.planted.bug import Bug
from tests.planted.bugs import BUGS
from tests.planted.plant import ROOT, Outcome, outcome_of

ONE = Bug("one", "Harm.", "a.py", "old", "new", ("tests/core",), caught_by="tests/core/test_a.py::test_a")


def test_there_are_sixty_under_names_of_their_own_in_every_folder() -> None:
    assert len(BUGS) == len({bug.name for bug in BUGS}) == 60
    folders = {bug.path.partition("/")[0] for bug in BUGS if "/" in bug.path}
    assert folders == {"shared", "functions", "local", "infra", "scripts"}


def test_each_life_is_one_of_the_harness() -> None:
    for bug in BUGS:
        assert not bug.life or any(re.search(bug.life, life.name) for life in LIVES), bug.name


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_can_be_planted_and_its_tests_are_there(bug: Bug) -> None:
    text = (ROOT / bug.path).read_text(encoding="utf-8")
    assert bug.planted_in(text) != text
    assert [one for one in bug.tests if not (ROOT / one).exists()] == []
    assert bool(bug.tests) != bool(bug.life)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.path.endswith(".py")], ids=lambda bug: bug.name)
def test_each_in_python_is_still_python(bug: Bug) -> None:
    compile(bug.planted_in((ROOT / bug.path).read_text(encoding="utf-8")), bug.path, "exec")


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_says_what_became_of_it_when_it_was_first_planted(bug: Bug) -> None:
    assert bug.caught_at_first or bug.note


@pytest.mark.parametrize("text", ["", "other", "old old"])
def test_a_text_that_does_not_stand_once_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"one: the old text stands [02] times in a\.py"):
        ONE.planted_in(text)


def test_the_first_test_that_failed_is_told() -> None:
    output = (
        "F\nERROR    local.host:invoke.py:100 Executed\n"
        "FAILED tests/a.py::test_x[a b] - assert 1 - 2\nERROR tests/b.py::test_y\n1 failed, 3 passed in 1.20s\n"
    )
    assert outcome_of(1, output) == Outcome("tests/a.py::test_x[a b]", "1 failed, 3 passed in 1.20s")
    assert outcome_of(0, "...\n3 passed, 1 skipped in 1.20s\n") == Outcome("", "3 passed, 1 skipped in 1.20s")
    assert outcome_of(4, "no such file") == Outcome("", "pytest ended with 4: no such file")


def test_a_bug_stands_in_the_copy_whose_tests_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    @contextmanager
    def copied() -> Iterator[Path]:
        (tmp_path / "a.py").write_text("old")
        yield tmp_path

    def read(folder: Path, tests: tuple[str, ...]) -> Outcome:
        seen.append(((folder / "a.py").read_text(), tests))
        return Outcome("", "")

    monkeypatch.setattr(plant, "project_copy", copied)
    monkeypatch.setattr(plant, "run_tests", read)
    plant.run_planted(ONE)
    plant.run_planted(ONE, everything=True)
    assert seen == [("new", ONE.tests), ("new", plant.FAST)]


def test_a_copy_has_the_tracked_files_and_what_is_installed() -> None:
    with plant.project_copy() as copy:
        assert (copy / "pyproject.toml").read_bytes() == (ROOT / "pyproject.toml").read_bytes()
        assert copy.resolve() != ROOT
        assert [name for name in plant.BESIDE if (ROOT / name).exists() and not (copy / name).is_symlink()] == []
    assert not copy.exists()


@pytest.mark.parametrize(
    ("clean", "planted", "ends", "told"),
    [
        ("", "a.py::test_a", 0, "link-before-record: caught by a.py::test_a"),
        ("", "a.py::test_a", 0, "1 planted, 1 caught, 0 missed"),
        ("", "", 1, "link-before-record: MISSED (3 passed)"),
        ("", "", 1, "caught at first, and missed now: link-before-record"),
        ("a.py::test_a", "a.py::test_a", 1, "link-before-record: MISSED, a.py::test_a fails without the bug too"),
    ],
)
def test_what_was_caught_at_first_and_is_missed_now_fails(
    clean: str,
    planted: str,
    ends: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers: dict[str, Callable[..., Outcome]] = {
        "run_clean": lambda _test: Outcome(clean, "3 passed"),
        "run_planted": lambda _bug: Outcome(planted, "3 passed"),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(command, name, answer)
    assert command.main(["link-before-record"]) == ends
    assert told in capsys.readouterr().out.splitlines()
