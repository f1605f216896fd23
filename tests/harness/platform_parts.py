"""What the platform gives a worker in the estate: an identity's token, and the output binding of a queue."""

from __future__ import annotations

from typing import Any

import azure.functions as func
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from shared.core.model.callers import Asked

ASKED = Asked("operator", "test")
"""A person who may decide."""
WORKERS = "token"
"""The workers' bearer token, which the local ARM takes for their identity."""


class Credential(AsyncTokenCredential):
    """A token, without a request."""

    async def get_token(self, *_: Any, **__: Any) -> AccessToken:
        return AccessToken(WORKERS, 32503680000)

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


class QueueOutput(func.Out[str]):
    """A queue output binding."""

    def __init__(self) -> None:
        self.value: Any = None

    def set(self, value: Any) -> None:
        self.value = value

    def get(self) -> Any:
        return self.value
