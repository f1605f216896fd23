"""Sixty bugs in all folders of the project, with the tests that catch each. Planted by `python -m tests.planted`.

A refactoring moves and rewrites the tests together with the code, and can lose a check on the way without any test
failing. So the same bugs are planted before and after it: none that was caught before may be missed after.

Each bug is an old and a new text rather than a diff. Files are moved and renamed: a bug survives a move by a new `path`
alone, a rename by the new word in `old` and `new`. What it breaks for a user stays the same. `test_planted.py` fails as
soon as an old text does not stand exactly once in its file, or a test file of a bug is gone.
"""

from __future__ import annotations

from tests.planted.core_bugs import CORE
from tests.planted.harm_bugs import HARM
from tests.planted.other_bugs import OTHERS
from tests.planted.shared_bugs import SHARED

BUGS = (*CORE, *SHARED, *OTHERS, *HARM)
