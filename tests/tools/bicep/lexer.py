"""The words of a Bicep template, for `parser`.

Kinds of tokens: "id", "int", "nl" (line breaks), "end"; of a string "str" (a whole one), "open" (up to the first hole),
"middle" and "close"; otherwise the operator's or the keyword's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LITERALS = {"true", "false", "null"}
SKIPPED = re.compile(r"(?:[ \t]+|//[^\r\n]*|/\*.*?\*/|#(?:disable|restore)-[^\r\n]*)+", re.DOTALL)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NUMBER = re.compile(r"[0-9]+")
LINE_BREAKS = re.compile(r"[\r\n]+")
OPERATOR = re.compile(r"\.\.\.|\?\?|::|!=|<=|>=|==|=>|&&|\|\||[{}()\[\]@,.?:+\-%*/!<>=|]")
PLAIN = re.compile(r"[^'\\$\r\n]+|\$(?!\{)")
ESCAPED = re.compile(r"\\(?:([nrt\\'])|(\$)|u\{([0-9A-Fa-f]{1,6})\})")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'"}


class BicepSyntaxError(Exception):
    """The text is no Bicep, or a part of the language that the project's templates do not use."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the template."""

    kind: str
    text: str
    """As it is written; of a string its value."""
    line: int


class Lexer:
    """Reads one template from its begin to its end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = self.start = 0
        self.tokens: list[Token] = []
        self.open: list[str] = []
        """ "'" for each string whose hole is open, "{" for each brace inside such a hole."""

    def run(self) -> list[Token]:
        """All tokens; the last is "end"."""
        while True:
            self.match(SKIPPED)
            self.start = self.position
            if self.position == len(self.text):
                self.add("end", "")
                return self.tokens
            self.one()

    def one(self) -> None:
        """Read the next token."""
        if self.text.startswith("'''", self.position):
            raise self.error("strings of several lines are not understood")
        if self.text.startswith("'", self.position):
            self.position += 1
            self.string("str", "open")
        elif self.text.startswith("}", self.position) and self.open[-1:] == ["'"]:
            self.position += 1
            self.open.pop()
            self.string("close", "middle")
        elif word := self.match(WORD):
            self.add(word if word in LITERALS else "id", word)
        elif number := self.match(NUMBER):
            self.add("int", number)
        elif self.match(LINE_BREAKS):
            if self.open:
                raise self.error("a hole of a string cannot go over lines")
            self.add("nl", "\n")
        else:
            self.operator()

    def operator(self) -> None:
        found = self.match(OPERATOR)
        if not found:
            raise self.error(f"character {self.text[self.position]!r} is not allowed here")
        if self.open and found in "{}":
            self.open.append("{") if found == "{" else self.open.pop()
        self.add(found, found)

    def string(self, whole: str, begun: str) -> None:
        """Read on to the closing quote or to the next hole; `whole` and `begun` are the kinds of the two."""
        parts: list[str] = []
        while True:
            if plain := self.match(PLAIN):
                parts.append(plain)
            elif self.text.startswith("'", self.position):
                self.position += 1
                return self.add(whole, "".join(parts))
            elif self.text.startswith("${", self.position):
                self.position += 2
                self.open.append("'")
                return self.add(begun, "".join(parts))
            else:
                parts.append(self.escaped())

    def escaped(self) -> str:
        found = ESCAPED.match(self.text, self.position)
        if found is None:
            raise self.error("the string has an unknown escape, or is not closed on its line")
        self.position = found.end()
        letter, dollar, code = found.groups()
        return dollar or (chr(int(code, 16)) if code else ESCAPES[letter])

    def match(self, pattern: re.Pattern[str]) -> str:
        """What stands here, if the pattern fits; then it is passed."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found.group()

    def add(self, kind: str, text: str) -> None:
        self.tokens.append(Token(kind, text, self.line()))

    def line(self) -> int:
        return 1 + self.text.count("\n", 0, self.start)

    def error(self, message: str) -> BicepSyntaxError:
        return BicepSyntaxError(f"line {self.line()}: {message}")
