"""What a user of the local clouds has at hand: signed-in calls to ARM, to Elastic Cloud and to the app.

Used by `local.cli.story` and the commands of `local.__main__`; it knows only `.local/endpoints.json`, as users do.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import httpx

from local.cli.folder import DEFAULT

API_VERSIONS = {
    "microsoft.authorization": "2022-04-01",
    "microsoft.resources/tags": "2021-04-01",
    "privatednszones": "2024-06-01",
}
NETWORK_API = "2024-05-01"
VAULT_API = "7.4"
POLL_SECONDS = 0.5
USER_AGENT = "local-user/1"
"""Tells a person's requests from the app's in the log of exchanges."""
BACKSTAGE_SECONDS = 120.0
"""Starting the app takes its time."""


class Refused(RuntimeError):
    """What a service answered in place of what was asked; `status` is HTTP's."""

    def __init__(self, answer: httpx.Response) -> None:
        request = answer.request
        super().__init__(f"{request.method} {request.url.path}: {answer.status_code} {answer.text}")
        self.status = answer.status_code


class LocalClient:
    """One user of one running instance."""

    def __init__(self, endpoints: dict[str, Any], http: httpx.AsyncClient | None = None) -> None:
        """`http`: in place of sockets, in tests."""
        self.endpoints = endpoints
        self.making = asyncio.Lock()
        """Held from looking for free addresses until a network has them."""
        self._http = http or httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=endpoints["ca_file"]),
            timeout=30,
            headers={"User-Agent": USER_AGENT},
        )

    @classmethod
    def read(cls, folder: Path = DEFAULT) -> Self:
        """A client of the instance in `folder`; raises FileNotFoundError when none runs there."""
        return cls(json.loads((folder / "endpoints.json").read_text(encoding="utf-8")))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def azure(self, method: str, path: str, body: Any = None) -> Any:
        """One ARM request, followed to the end of its operation; raises RuntimeError with Azure's words."""
        url = f"{self.endpoints['arm']}{path}"
        if "api-version=" not in path:  # the link to a list's next page has it
            version = next((v for name, v in API_VERSIONS.items() if name in path.lower()), NETWORK_API)
            url += f"{'&' if '?' in path else '?'}api-version={version}"
        headers = {"Authorization": f"Bearer {await self._token('https://management.azure.com')}"}
        answer = await self._http.request(method, url, json=body, headers=headers)
        operation = None if _has_ended(answer) else answer.headers.get("azure-asyncoperation")
        if operation is None:
            return checked(await self._followed(answer, headers))
        while True:
            await asyncio.sleep(POLL_SECONDS)
            status = checked(await self._http.get(operation, headers=headers))
            if status["status"] == "Succeeded":
                return checked(answer)
            if status["status"] != "InProgress":
                raise RuntimeError(json.dumps(status))

    async def _followed(self, answer: httpx.Response, headers: dict[str, str]) -> httpx.Response:
        """The end of what has a `Location` and no more: a group's deletion, a move."""
        while answer.status_code == HTTPStatus.ACCEPTED and "location" in answer.headers:
            await asyncio.sleep(POLL_SECONDS)
            answer = await self._http.get(answer.headers["location"], headers=headers)
        return answer

    async def vault(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the key vault, as the person that this is."""
        headers = {"Authorization": f"Bearer {await self._token('https://vault.azure.net')}"}
        url = f"{self.endpoints['vault']}{path}?api-version={VAULT_API}"
        return checked(await self._http.request(method, url, json=body, headers=headers))

    async def elastic(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the Elastic Cloud API, path below `/api/v1`."""
        headers = {"Authorization": f"ApiKey {self.endpoints['elastic_api_key']}"}
        url = f"{self.endpoints['elastic']}/api/v1{path}"
        return checked(await self._http.request(method, url, json=body, headers=headers))

    async def app(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request to the function app, path below `/api`."""
        headers = {"x-functions-key": self.endpoints["function_key"]}
        if method != "GET":
            headers["x-autopilot-key"] = self.endpoints["deciding_key"]
        url = f"{self.endpoints['functions']}/api{path}"
        return await self._http.request(method, url, json=body, headers=headers)

    async def backstage(self, action: str, **asked: Any) -> None:
        """What happens behind the clouds' APIs (`local.cli.backstage`); raises RuntimeError with its words."""
        url = f"{self.endpoints['backstage']}/{action}"
        checked(await self._http.post(url, json=asked, timeout=BACKSTAGE_SECONDS))
        file = Path(self.endpoints["folder"]) / "endpoints.json"
        self.endpoints = json.loads(file.read_text(encoding="utf-8"))

    async def switches(self) -> dict[str, Any]:
        """How the switches of the clouds stand."""
        return dict(checked(await self._http.get(f"{self.endpoints['backstage']}/switches")))

    def notifications(self) -> list[dict[str, Any]]:
        """Every event that the app's topic took, oldest first."""
        path = Path(self.endpoints["notifications"])
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    async def _token(self, resource: str) -> str:
        answer = await self._http.get(
            self.endpoints["identity"],
            params={"resource": resource, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": self.endpoints["identity_header"]},
        )
        return str(checked(answer)["access_token"])


def _has_ended(answer: httpx.Response) -> bool:
    """Whether the answer itself says that all is done; then no poll for the operation's state is needed."""
    body = answer.json() if answer.content and answer.is_success else {}
    return bool(body.get("properties", {}).get("provisioningState") == "Succeeded")


def checked(answer: httpx.Response) -> Any:
    """The answer's JSON; raises Refused with the words of a refusal."""
    if not answer.is_success:
        raise Refused(answer)
    return answer.json() if answer.content else None
