"""One planted bug: what is replaced by what, and which tests should notice. Used by the tables and by `plant`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that a refactoring makes or a reviewer misses."""

    name: str
    harm: str
    """What goes wrong for a user."""
    path: str
    old: str
    """Stands exactly once in the file."""
    new: str
    tests: tuple[str, ...] = ()
    """Files or folders of tests that are expected to fail."""
    life: str = ""
    """In place of tests: the life in which the fault harness is expected to find it, as `--life` takes it."""
    call: str = ""
    """Of that life the calls that faults are tried at, as `--call` takes it; empty: all."""
    caught_by: str = ""
    """The test, or the life, that caught it when it was first planted; empty: it was missed then."""
    note: str = ""
    """Of a bug that was missed: what noticed it instead, or why nothing does."""

    @property
    def caught_at_first(self) -> bool:
        """Whether its tests caught it when it was first planted: then they must catch it for ever."""
        return bool(self.caught_by)

    def planted_in(self, text: str) -> str:
        """The file's text with the bug in it; ValueError when the old text does not stand there exactly once."""
        if (times := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the old text stands {times} times in {self.path}")
        return text.replace(self.old, self.new)
