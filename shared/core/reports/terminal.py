"""Lines for a terminal, out of texts that others wrote: tags, names, answers of Azure and Elastic Cloud. Pure.

Used where the app answers text instead of JSON: plans and the doctor's report. A tag could else clear the reader's
screen and write a plan of its own.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text in one line, with its number in place of each character that does not print, as Python writes it."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
