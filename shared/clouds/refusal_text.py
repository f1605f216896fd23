"""What a service says of a refusal, as it may stand in a record, a journal and a log. Pure; used by `azure`, `elastic`.

A gateway in between may echo the request: no key and no token of ours comes through here, not even a part of one. One
line, nothing that a terminal or a log would act on.
"""

from __future__ import annotations

import re

LONGEST = 300
"""Characters."""

_SCHEMES = re.compile(r"\b(ApiKey|Bearer|Basic|SharedAccessSignature|SharedKey)[\s:]+\S+", re.IGNORECASE)
_TOKENS = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*)*|\bsig=[^&\s]+|\bcode=[^&\s]{16,}", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z0-9+/=_~.%-]{8,}")
_REMOVED = "<removed>"


def refusal_text(told: object, *secrets: str, longest: int = LONGEST) -> str:
    """A service's text; empty for what is none. `secrets`: what was sent to it and must not come back."""
    if not isinstance(told, str):
        return ""
    text = told[: 20 * longest]  # a page of a gateway has no end; what is looked through has
    for secret in filter(None, secrets):
        text = text.replace(secret, _REMOVED)
    text = _TOKENS.sub(_REMOVED, _SCHEMES.sub(rf"\1 {_REMOVED}", text))
    text = _WORDS.sub(lambda word: _REMOVED if any(word[0] in one for one in secrets) else word[0], text)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:longest].strip()
