"""Private DNS zones, virtual network links and the `*` record, in ARM: the changes; the reads are in its base.

Used by the branches of a run, the removal and the sweep.

Every write is conditional: zones and links are made only if absent; records are written, and anything is deleted, only
if it is as it was read. ETags are given as the service answered them, as recordings of the live service show it; the
SDK's own parameter would quote a bare one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from shared.clouds.azure.clients import ArmClients, Operations, StillRunning, arm_errors, body_of, has_ended
from shared.clouds.azure.errors import classify
from shared.clouds.azure.private_dns_reads import WILDCARD, PrivateDnsReads, link_of, record_of
from shared.clouds.azure.refusals import read_refusal
from shared.core.model.arm_ids import ArmId
from shared.core.model.errors import AutopilotError, Blocked, LostRace, NotFound, NotVisibleYet, RetryLater, Waiting
from shared.core.model.json_values import mapping, text
from shared.core.model.resources import Link, WildcardRecord, Zone
from shared.core.model.steps import CreateLink, CreateZone, DeleteLink, DeleteRecord, DeleteZone, PutWildcardRecord

Begin = Callable[[Callable[[Any], None]], Awaitable[Any]]
"""Starts a long-running operation; what it is given hears every answer."""


class PrivateDns(PrivateDnsReads):
    """Reads what DNS has; makes, changes and deletes what it needs."""

    def __init__(self, clients: ArmClients) -> None:
        super().__init__(clients)
        self.operations = Operations(clients.options.poll_interval, clients.options.operation_wait, clients.budget)

    async def create_zone(self, step: CreateZone) -> Zone:
        """Make the zone. Raises NotVisibleYet when it exists unseen, Waiting when it takes long."""
        zone = step.zone
        client = await self.clients.dns(zone.subscription_id)
        body = _models().PrivateZone({"location": "global", "tags": self._tags(step)})
        try:
            await self._operation(
                step,
                lambda heard: client.private_zones.begin_create_or_update(
                    zone.resource_group,
                    zone.name,
                    body,
                    headers=dict(_IF_ABSENT),
                    raw_response_hook=heard,
                    polling=False,
                ),
            )
        except Waiting:
            raise
        except BaseException:
            self.lists.forget(zone.subscription_id.lower())  # it may be there now
            raise
        made = Zone(zone, step.marker)
        self.lists.amend(zone.subscription_id, lambda found: found.with_zone(made))
        return made

    async def create_link(self, step: CreateLink) -> Link:
        """Link a network. Raises NotVisibleYet, Waiting, or Blocked when another zone of the name serves it."""
        zone = step.zone
        self.others.forget(zone.key)
        client = await self.clients.dns(zone.subscription_id)
        properties = {"virtualNetwork": {"id": step.vnet_id}, "registrationEnabled": False}
        body = _models().VirtualNetworkLink({"location": "global", "tags": self._tags(step), "properties": properties})
        condition = dict(_IF_ABSENT) if step.etag is None else _if_unchanged(step.etag, zone)
        answer = await self._operation(
            step,
            lambda heard: client.virtual_network_links.begin_create_or_update(
                zone.resource_group,
                zone.name,
                step.name,
                body,
                headers=condition,
                raw_response_hook=heard,
                polling=False,
            ),
        )
        if answer is not None:
            return link_of(body_of(answer))
        # It succeeded: one more read, out of the few there are, would show no more than what was asked for.
        link = f"{zone.text}/virtualNetworkLinks/{step.name}"
        return Link(link, step.name, step.vnet_id, completed=True, marker=step.marker)

    def _tags(self, step: CreateZone | CreateLink) -> dict[str, str]:
        """Those that were given, which a policy may ask for, and the marker."""
        return {**dict(self.clients.options.tags), **step.marker.tags()}

    async def poll_previous(
        self, step: CreateZone | CreateLink, url: str, begun: float | None = None
    ) -> tuple[bool, AutopilotError | None]:
        """How the operation went that an earlier run began for a step, `begun` seconds ago, and did not see end.

        Whether Azure says that it succeeded, and why it failed; neither where Azure does not tell of it. Raises
        Waiting while it runs, which costs no read before its kind usually ends, and RetryLater where Azure cannot tell
        just now.
        """
        (doing, on), kind = _describe(step), _kind(step)
        if begun is not None and (pause := self.operations.pause_away(kind, begun)):
            raise Waiting(f"Azure is still busy to {doing}.", on=on, after=pause, operation=url)
        told = await self._operation_status(url, step.zone, doing, on)
        if begun is not None and told:
            self.operations.note(kind, begun, told)
        if not has_ended(told):
            after = self.operations.after_look(begun or 0.0)
            raise Waiting(f"Azure is still busy to {doing}.", on=on, after=after, operation=url)
        try:
            with _conflict_is_lag(doing, on), _not_found_is_lag(doing, on):
                _raise_if_failed(told, doing, on)
        except AutopilotError as failed:
            return False, failed
        return text(told.get("status")) == SUCCEEDED, None

    async def put_record(self, step: PutWildcardRecord) -> WildcardRecord:
        """Write the `*` record; raises LostRace when it is not as it was read."""
        zone = step.zone
        self.others.forget(zone.key)
        client = await self.clients.dns(zone.subscription_id)
        addresses = [{"ipv4Address": address} for address in step.addresses]
        properties = {"ttl": step.ttl, "aRecords": addresses, "metadata": step.marker.metadata()}
        body = _models().RecordSet({"properties": properties})
        condition = dict(_IF_ABSENT) if step.etag is None else _if_unchanged(step.etag, zone)
        doing = "write the zone's * record"
        with _not_found_is_lag(doing, zone.text), arm_errors(doing, zone.text):
            answer = await client.record_sets.create_or_update(
                zone.resource_group, zone.name, "A", WILDCARD, body, headers=condition
            )
        return record_of(body_of(answer))

    async def delete_record(self, step: DeleteRecord) -> None:
        """Delete the `*` record; raises LostRace when it is not as it was read. One that is gone is no error."""
        zone = step.zone
        self.others.forget(zone.key)
        client = await self.clients.dns(zone.subscription_id)
        doing = "delete the zone's * record"
        with suppress(NotFound), arm_errors(doing, zone.text):
            await client.record_sets.delete(
                zone.resource_group, zone.name, "A", WILDCARD, headers=_if_unchanged(step.etag, zone)
            )

    async def delete_link(self, step: DeleteLink) -> None:
        """Unlink a network; raises LostRace, NotVisibleYet or Waiting. A link that is gone is no error."""
        zone = step.zone
        self.others.forget(zone.key)
        client = await self.clients.dns(zone.subscription_id)
        with suppress(NotFound):
            await self._removal(
                "delete the virtual network link",
                f"{zone.text} to {step.vnet_id}",
                zone,
                lambda heard: client.virtual_network_links.begin_delete(
                    zone.resource_group,
                    zone.name,
                    step.name,
                    headers=_if_unchanged(step.etag, zone),
                    raw_response_hook=heard,
                    polling=False,
                ),
            )

    async def delete_zone(self, step: DeleteZone) -> None:
        """Delete the zone; Azure refuses while a network is linked. A zone that is gone is no error."""
        zone = step.zone
        self.others.forget(zone.key)
        self.lists.forget(zone.subscription_id.lower())
        client = await self.clients.dns(zone.subscription_id)
        with suppress(NotFound):
            await self._removal(
                "delete the private DNS zone",
                zone.text,
                zone,
                lambda heard: client.private_zones.begin_delete(
                    zone.resource_group,
                    zone.name,
                    headers=_if_unchanged(step.etag, zone),
                    raw_response_hook=heard,
                    polling=False,
                ),
            )

    async def _operation_status(self, url: str, zone: ArmId, doing: str, on: str) -> Mapping[str, Any]:
        """What Azure tells of an operation; empty when it has forgotten it, or will not tell.

        To ask is no more than a courtesy: what is wrong for good is said by the step itself, which is taken then.
        """
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - the SDK is imported when first used

        if urlsplit(url).hostname != urlsplit(self.clients.options.url).hostname:
            return {}  # the address comes from a table: no token of ours goes anywhere but to Azure
        client = await self.clients.dns(zone.subscription_id)
        with suppress(NotFound, Blocked), arm_errors(doing, on):
            response = await client.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            return mapping(response.json())
        return {}

    async def _removal(self, doing: str, on: str, zone: ArmId, begin: Begin) -> None:
        with arm_errors(doing, on):
            await self._finished(doing, on, doing, zone, begin, deletes=True)

    async def _operation(self, step: CreateZone | CreateLink, begin: Begin) -> Any:
        """The answer of a creation that had ended when Azure answered; None where it ended later."""
        doing, on = _describe(step)
        with _conflict_is_lag(doing, on), _not_found_is_lag(doing, on), arm_errors(doing, on):
            return await self._finished(doing, on, _kind(step), step.zone, begin)

    async def _finished(
        self, doing: str, on: str, kind: str, zone: ArmId, begin: Begin, *, deletes: bool = False
    ) -> Any:
        """Start a long-running operation and wait for its end, for a while."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - the SDK is imported when first used

        urls = [""]

        def heard(answer: Any) -> None:
            headers = answer.http_response.headers
            urls.append(headers.get("Azure-AsyncOperation") or headers.get("Location") or "")

        answer = await (await begin(heard)).result()
        if not urls[-1]:
            return answer
        client = await self.clients.dns(zone.subscription_id)

        async def look() -> Mapping[str, Any]:
            response = await client.send_request(HttpRequest("GET", urls[-1]))
            response.raise_for_status()
            urls.append(response.headers.get("Azure-AsyncOperation") or urls[-1])  # signed anew
            return mapping(response.json())

        try:
            told = await self.operations.wait_for_end(kind, look, deletes=deletes)
        except StillRunning as error:
            message = f"Azure is still busy to {doing}; this run waits no longer."
            raise Waiting(message, on=on, after=error.after, operation=urls[-1]) from None
        _raise_if_failed(told, doing, on)
        return None


SUCCEEDED = "Succeeded"


def _raise_if_failed(told: Mapping[str, Any], doing: str, on: str) -> None:
    """Raise what Azure tells of an operation that has ended, where it has not succeeded."""
    state = text(told.get("status")) or SUCCEEDED
    if state == SUCCEEDED:
        return
    error = mapping(told.get("error"))
    code, message = text(error.get("code")) or state, text(error.get("message"))
    raise classify(read_refusal(HTTPStatus.OK, code, message, doing, on), None)


def _kind(step: CreateZone | CreateLink) -> str:
    """By what the time is learned that it takes."""
    return type(step).__name__


@contextmanager
def _not_found_is_lag(doing: str, on: str) -> Iterator[None]:
    """A write that answers "not found" writes below, or reads back, what was made a moment ago: it will be seen."""
    try:
        yield
    except NotFound as error:
        raise NotVisibleYet(f"Azure does not show yet what was just made when asked to {doing}.", on=on) from error


@contextmanager
def _conflict_is_lag(doing: str, on: str) -> Iterator[None]:
    """A create-only write that is refused because the thing exists: it was not in the listing, and will be."""
    try:
        yield
    except LostRace as error:
        message = f"It exists already, though Azure did not show it, when asked to {doing}."
        raise NotVisibleYet(message, on=on, after=error.after) from error


def _describe(step: CreateZone | CreateLink) -> tuple[str, str]:
    """What is done, and on what, for the errors."""
    if isinstance(step, CreateZone):
        return "create the private DNS zone", step.zone.text
    return "link the private DNS zone", f"{step.zone.text} to {step.vnet_id}"


def _models() -> ModuleType:
    from azure.mgmt.privatedns import models  # noqa: PLC0415 - the SDK is imported when first used

    return models


def _if_unchanged(etag: str, on: ArmId) -> dict[str, str]:
    if not etag:
        raise RetryLater("Azure answered without an ETag; nothing is overwritten or deleted blindly.", on=on.text)
    return {"If-Match": etag}


_IF_ABSENT: Mapping[str, str] = {"If-None-Match": "*"}
