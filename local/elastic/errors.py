"""How the Elastic Cloud API says no; raised by its operations, shaped by `local.elastic.gateway`."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """One refusal: HTTP status and the one entry of `errors`."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> dict[str, Any]:
        """The error body every Elastic Cloud operation shares."""
        entry: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            entry["fields"] = list(self.fields)
        return {"errors": [entry]}


def invalid_json(problem: str, field: str | None = None) -> ApiError:
    """The request body is not what the operation takes."""
    message = f"JSON request does not comply with schema: [{problem}]"
    return ApiError(400, "root.invalid_json_request", message, (field,) if field else ())


def permission_denied(resource: str) -> ApiError:
    """The key's roles do not reach this."""
    message = f"To access the resource [r:{resource}], the user must have the required authorization."
    return ApiError(403, "root.permission_denied", message)


def no_such_ruleset(ruleset_id: str, status: int) -> ApiError:
    """Of an unknown ruleset: 404, or the 403 that was seen in its place."""
    if status == 403:
        return permission_denied(f"/deployments/traffic-filter/rulesets/{ruleset_id}")
    return ApiError(404, "traffic_filter.not_found", f"Traffic filter ruleset [{ruleset_id}] cannot be found.")


def no_such_deployment(deployment_id: str) -> ApiError:
    """Of an unknown deployment."""
    return ApiError(404, "deployments.deployment_not_found", f"The deployment [{deployment_id}] cannot be found.")
