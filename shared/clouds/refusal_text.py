"""What a service says of a refusal, as it may stand in a record, a journal and a log. Pure; used by `azure`, `elastic`.

A gateway in between may echo the request: no key and no token of ours comes through here, not even a part of one. One
line, nothing that a terminal or a log would act on.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache

LONGEST = 300
"""Characters."""
PIECE = 8
"""Characters of a credential that together tell something of it."""

_SCHEMES = re.compile(r"\b(ApiKey|Bearer|Basic|SharedAccessSignature|SharedKey)[\s:]+\S+", re.IGNORECASE)
_TOKENS = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*)*|\bsig=[^&\s]+|\bcode=[^&\s]{16,}", re.IGNORECASE)
_WORDS = re.compile(rf"[A-Za-z0-9+/=_~.%-]{{{PIECE},}}")
_REMOVED = "<removed>"


def refusal_text(told: object, *secrets: str, longest: int = LONGEST) -> str:
    """A service's text; empty for what is none. `secrets`: what was sent to it and must not come back."""
    if not isinstance(told, str):
        return ""
    text = told[: 20 * longest]  # a page of a gateway has no end; what is looked through has
    for secret in filter(None, secrets):
        text = text.replace(secret, _REMOVED)
    text = _TOKENS.sub(_REMOVED, _SCHEMES.sub(rf"\1 {_REMOVED}", text))
    text = _WORDS.sub(lambda word: _REMOVED if any(_tells_of(word[0], one) for one in secrets) else word[0], text)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:longest].strip()


def _tells_of(word: str, secret: str) -> bool:
    """Whether a piece of a secret stands in a word, in any letter case: behind `key=`, cut off, or encoded."""
    pieces, word = _pieces(secret), word.lower()
    return any(word[at : at + PIECE] in pieces for at in range(len(word) - PIECE + 1))


@lru_cache(maxsize=8)
def _pieces(secret: str) -> frozenset[str]:
    """Every piece of a secret, plain and as base64; percent signs encode only what stands between its pieces."""
    shifted = (base64.b64encode(b" " * before + secret.encode()).decode()[4:-4] for before in range(3))
    forms = [form.lower() for form in (secret, *shifted)]
    return frozenset(form[at : at + PIECE] for form in forms for at in range(len(form) - PIECE + 1))
