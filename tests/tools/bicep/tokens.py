"""A place in the tokens of a template, and how a parser goes on from it; `expressions` builds on it."""

from __future__ import annotations

from collections.abc import Callable

from tests.tools.bicep.lexer import BicepSyntaxError, Lexer, Token
from tests.tools.bicep.tree import Ident


class Tokens:
    """Reads tokens one after the other."""

    def __init__(self, text: str) -> None:
        self.tokens = Lexer(text).run()
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def past_newlines(self, ahead: int = 0) -> Token:
        """The token so many places ahead, or the first behind the line breaks that stand there."""
        at = self.at + ahead
        while self.tokens[at].kind == "nl":
            at += 1
        return self.tokens[at]

    def is_word(self, word: str) -> bool:
        return self.token.kind == "id" and self.token.text == word

    def take(self) -> Token:
        token = self.token
        self.at += token.kind != "end"
        return token

    def taken(self, *kinds: str) -> bool:
        """Whether one of these stands here; then it is passed."""
        found = self.token.kind in kinds
        self.at += found
        return found

    def taken_word(self, word: str) -> bool:
        found = self.is_word(word)
        self.at += found
        return found

    def expect(self, *kinds: str) -> Token:
        if self.token.kind not in kinds:
            raise self.error(f"{' or '.join(kinds)} is expected")
        return self.take()

    def expect_word(self, word: str) -> None:
        if not self.taken_word(word):
            raise self.error(f"{word} is expected")

    def ident(self) -> Ident:
        return Ident(self.expect("id").text)

    def newlines(self) -> None:
        while self.taken("nl"):
            pass

    def elements(self, closing: str, element: Callable[[], None]) -> None:
        """What stands in braces or brackets, between line breaks or commas."""
        self.newlines()
        while not self.taken(closing):
            element()
            if self.token.kind != closing:
                self.expect("nl", ",")
                self.newlines()

    def error(self, message: str) -> BicepSyntaxError:
        return BicepSyntaxError(f"line {self.token.line}: {message}, found {self.token.text!r}")
