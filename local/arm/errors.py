"""Errors in the shapes the live services give them. Raised by every handler, turned into answers by `app`."""

from __future__ import annotations

from typing import Any


class ArmError(Exception):
    """A refusal with HTTP status, code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        wrapped: bool = True,
        headers: dict[str, str] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """`details`: what stands beside code and message, as `target` and `additionalInfo`."""
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.wrapped, self.headers, self.details = wrapped, headers or {}, details or {}

    def body(self) -> Any:
        """`{"error": {...}}`; the record set service alone leaves the wrapper out."""
        inner = {"code": self.code, "message": self.message, **self.details}
        return {"error": inner} if self.wrapped else inner


class OperationError(Exception):
    """Why an accepted operation ends as Failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


GATEWAY = {"x-ms-failure-cause": "gateway"}


def not_found(kind: str, name: str, resource_group: str) -> ArmError:
    """A resource that ARM's front end does not know."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource 'Microsoft.Network/{kind}/{name}' under resource group '{resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        headers=GATEWAY,
    )


def parent_not_found(action: str, kind: str, parent_id: str) -> ArmError:
    """A write, or by a switch a read, below something that ARM's front end does not know."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{action}' on resource(s) of type '{kind}', because the parent resource '{parent_id}' "
        "could not be found.",
        headers=GATEWAY,
    )


def bad_request(code: str, message: str) -> ArmError:
    """The resource provider's validation."""
    return ArmError(400, code, message)


def method_not_allowed(method: str, kind: str) -> ArmError:
    """A method that this resource type does not have."""
    return ArmError(405, "HttpMethodNotSupported", f"The HTTP method '{method}' is not supported for '{kind}'.")


def unknown_type(kind: str) -> ArmError:
    """A resource type this simulator (or Azure) does not have."""
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace 'Microsoft.Network'.",
        headers=GATEWAY,
    )
