"""Who may do what: bearer tokens, and the actions a role would grant. Called by `app` and where resources join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.arm.errors import ArmError
from local.arm.management_groups import groups_above
from local.arm.roles import allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.context import Call
    from local.arm.ids import ResourcePath
    from local.arm.settings import ArmSettings

CLIENT = "The client '11111111-0000-0000-0000-000000000000' with object id '11111111-0000-0000-0000-000000000000'"
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}


def check_bearer(authorization: str | None, check_token: Callable[[str], bool] | None, tenant_id: str) -> str:
    """The bearer token; refuses a request without one that holds."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated(
            "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", tenant_id
        )
    if check_token is not None and not check_token(token.strip()):
        message = "The access token is invalid or has expired."
        raise _unauthenticated("InvalidAuthenticationToken", message, tenant_id)
    return token.strip()


def _unauthenticated(code: str, message: str, tenant_id: str) -> ArmError:
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/{tenant_id}", error="invalid_token", '
        f'error_description="{message}"'
    )
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def denied(settings: ArmSettings, principal: str, action: str, scope: str) -> bool:
    """Whether the principal's roles do not give this right at this scope, or the switches take it away."""
    roles = settings.role_assignments.get(principal)
    if roles is not None and not any(allowed(roles, action, one) for one in (scope, *groups_above(settings, scope))):
        return True
    for entry in settings.denied_actions:
        name, _, where = entry.lower().partition("@")
        if name == action.lower() and scope.lower().startswith(where):
            return True
    return False


def check_action(settings: ArmSettings, principal: str, method: str, path: ResourcePath) -> None:
    """403 AuthorizationFailed unless the caller may do this."""
    action = f"{path.type}/{VERBS.get(method, 'action')}"
    if denied(settings, principal, action, path.id):
        # Of a listing of the whole subscription Azure names the subscription itself, as seen in users' reports.
        whole = path.is_collection and path.resource_group is None
        scope = f"/subscriptions/{path.subscription_id}" if whole else path.id
        raise not_authorized(action, scope)


def check_scope(settings: ArmSettings, principal: str, action: str, scope: str) -> None:
    """403 AuthorizationFailed unless the caller may do this at a scope above or beside the network resources."""
    if denied(settings, principal, action, scope):
        raise not_authorized(action, scope)


def not_authorized(action: str, scope: str) -> ArmError:
    """The caller has no role that includes the action there."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"{CLIENT} does not have authorization to perform action '{action}' over scope '{scope}' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials.",
    )


def check_tenant(settings: ArmSettings, subscription: str) -> None:
    """401 InvalidAuthenticationTokenTenant for a subscription of another tenant than the token's."""
    other = settings.other_tenants.get(subscription.lower())
    if other is not None:
        raise _unauthenticated(
            "InvalidAuthenticationTokenTenant",
            f"The access token is from the wrong issuer 'https://sts.windows.net/{settings.tenant_id}/'. It must match "
            f"the tenant 'https://sts.windows.net/{other}/' associated with this subscription. Please use the "
            f"authority (URL) 'https://login.windows.net/{other}' to get the token. Note, if the subscription is "
            "transferred to another tenant there is no impact to the services, but information about new tenant could "
            "take time to propagate (up to an hour). If you just transferred your subscription and see this error "
            "message, please try back later.",
            settings.tenant_id,
        )


def check_linked(settings: ArmSettings, call: Call, action: str, linked: str) -> None:
    """403 LinkedAuthorizationFailed unless the caller may use the other resource that this write points to."""
    subscription = linked.lower().split("/")[2]
    if subscription in settings.other_tenants:
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"{CLIENT} has permission to perform action '{call.path.type}/write' on scope '{call.path.id}', however "
            f"the current tenant '{settings.tenant_id}' is not authorized to access linked subscription "
            f"'{subscription}'.",
        )
    if denied(settings, call.principal, action, linked):
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"{CLIENT} has permission to perform action '{call.path.type}/write' on scope '{call.path.id}'; however, "
            f"it does not have permission to perform action(s) '{action}' on the linked scope(s) '{linked}' "
            "(respectively) or the linked scope(s) are invalid.",
        )
