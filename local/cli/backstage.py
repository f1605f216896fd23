"""What happens behind the clouds' own APIs, for a person at the keyboard and for end-to-end tests.

Elastic's side takes an approval back, a firewall comes between, a key ends, the function app is stopped: no API does
these, so they get a server of their own on loopback, apart from the simulated APIs. `local.cli.breaking` calls it;
`local.cli.stack` serves it.

    POST /approval    {"endpoint": id, "state": "Approved" | "Rejected" | "Disconnected" | any other word | ""}
    POST /deployment  {"deployment": name or id, "status": "reconfiguring", "productAliases": {"fleet": ""}}
                      or {"deployment": name or id, "deleted": true, "staysAssociated": true}
    POST /project     {"project": name or id, "phase": "suspended", "tier": "complete" | "essentials", "deleted": true}
    POST /route       {"endpoint": id, "open": true | false}
    POST /key         {"state": "ended" | "renewed"}      renewed: another key, in the vault too
    POST /app         {"state": "stopped" | "started"}
    POST /settings    {"DNS_RECORD_MODE": "union", ...}   of the app, which restarts; "": as at the start
    GET  /switches    every switch of the clouds (`local.cli.switches`), and how it stands
    POST /switches    {"elastic.create_lag_seconds": 30, ...}
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.elastic.deployments import PRODUCTS, STATES
from local.elastic.serverless.projects import PHASES
from shared.core.model.organizations import DEFAULT, key_secret

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.cli.function_app import FunctionApp
    from local.cli.switches import Switches
    from local.simulators import World
    from local.vault import KeyVault

Action = Callable[[dict[str, Any]], Awaitable[None]]


class Backstage:
    """`.app` answers; `announce` is called when what outsiders know of the instance has changed."""

    def __init__(
        self,
        world: World,
        function_app: FunctionApp,
        switches: Switches,
        announce: Callable[[], None],
        change_settings: Callable[[dict[str, str]], None],
        vault: KeyVault,
    ) -> None:
        """`change_settings` raises ValueError for what the app would not take."""
        self._world, self._function_app, self._announce = world, function_app, announce
        self._switches, self._change_settings, self._vault = switches, change_settings, vault
        self._actions: dict[str, Action] = {
            "approval": self._approval,
            "deployment": self._deployment,
            "project": self._project,
            "route": self._route,
            "key": self._key,
            "app": self._app,
            "settings": self._settings,
            "switches": self._turn,
        }
        routes = [Route("/switches", self._show, methods=["GET"]), Route("/{action}", self._serve, methods=["POST"])]
        self.app = Starlette(routes=routes)

    async def _show(self, _request: Request) -> JSONResponse:
        return JSONResponse(self._switches.values())

    async def _serve(self, request: Request) -> JSONResponse:
        action = self._actions.get(request.path_params["action"])
        if action is None:
            return JSONResponse({"error": f"the actions are {', '.join(self._actions)}"}, HTTPStatus.NOT_FOUND)
        if not request.headers.get("content-type", "").startswith("application/json"):
            # A page in a browser cannot send this type here without asking first.
            return JSONResponse({"error": "send application/json"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            await action(dict(await request.json()))
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"not understood: {error}"}, HTTPStatus.BAD_REQUEST)
        return JSONResponse({"done": True})

    async def _approval(self, asked: dict[str, Any]) -> None:
        """Elastic's side approves, or takes that back; Azure may also show a word of its own, or none."""
        self._world.arm.set_connection(self._endpoint(asked).id, str(asked["state"]), "Set by the service's owner")

    async def _deployment(self, asked: dict[str, Any]) -> None:
        """What a deployment goes through by itself, or a person does to it in the console."""
        elastic, wanted = self._world.elastic, str(asked["deployment"])
        found = next((one for one in elastic.deployments() if wanted in (one.id, one.name)), None)
        if found is None:
            raise ValueError(f"there is no deployment {wanted}")
        if asked.get("deleted"):
            elastic.remove_deployment(found.id, stays_associated=bool(asked.get("staysAssociated")))
            return
        found.status = _one_of(asked.get("status", found.status), *STATES)
        aliases = {str(label): str(alias) for label, alias in dict(asked.get("productAliases", {})).items()}
        if unknown := aliases.keys() - PRODUCTS.keys():
            raise ValueError(f"products are {', '.join(PRODUCTS)}; not {', '.join(unknown)}")
        found.product_aliases |= aliases

    async def _project(self, asked: dict[str, Any]) -> None:
        """What a Serverless project goes through by itself, or a person does to it in the console."""
        serverless, wanted = self._world.elastic.serverless, str(asked["project"])
        found = next((one for one in serverless.projects() if wanted in (one.id, one.name)), None)
        if found is None:
            raise ValueError(f"there is no project {wanted}")
        if asked.get("deleted"):
            serverless.remove_project(found)
            return
        found.phase = next(phase for phase in PHASES if phase == _one_of(asked.get("phase", found.phase), *PHASES))
        tier = "complete" if found.complete_tier else "essentials"
        found.complete_tier = _one_of(asked.get("tier", tier), "complete", "essentials") == "complete"

    async def _route(self, asked: dict[str, Any]) -> None:
        """Something between breaks, or is repaired: the endpoint's address does not answer."""
        address = self._endpoint(asked).address
        if address is None:
            raise ValueError("the endpoint has no address yet")
        await self._world.network.break_way(address, broken=not asked["open"])

    async def _key(self, asked: dict[str, Any]) -> None:
        """The Elastic Cloud API key ends; or a person makes another one and stores it in the vault."""
        elastic = self._world.elastic
        if _one_of(asked["state"], "ended", "renewed") == "ended":
            elastic.settings.api_key_expires_at = self._world.clock.now() - timedelta(seconds=1)
            return
        elastic.renew_key(secrets.token_urlsafe(24))
        self._vault.store(key_secret(DEFAULT), elastic.api_key)
        self._announce()

    async def _app(self, asked: dict[str, Any]) -> None:
        if _one_of(asked["state"], "stopped", "started") == "stopped":
            await self._function_app.stop()
        else:
            await self._function_app.start()
        self._announce()

    async def _settings(self, asked: dict[str, Any]) -> None:
        """A person changes the app's settings, which restarts the app, as in Azure."""
        self._change_settings({name: str(value) for name, value in asked.items()})
        await self._restart()

    async def _restart(self) -> None:
        await self._function_app.stop()
        await self._function_app.start()
        self._announce()

    async def _turn(self, asked: dict[str, Any]) -> None:
        """The clouds behave in another way from now on; what is there already is looked at again."""
        for name, value in asked.items():
            self._switches.set(name, value)
        self._world.elastic.evaluate()
        await self._world.network.follow_settings()

    def _endpoint(self, asked: dict[str, Any]) -> Any:
        wanted = str(asked["endpoint"]).lower()
        found = next((e for e in self._world.arm.private_endpoints() if e.id.lower() == wanted), None)
        if found is None:
            raise ValueError(f"there is no endpoint {asked['endpoint']}")
        return found


def _one_of(value: object, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"state is {value!r}; expected {' or '.join(allowed)}")
    return str(value)
