"""How a random walk ends: things calm down, and then all is as it should be, or is explained.

Converged; nothing left to do; of endpoints that are gone nothing of ours is left, or the record says what and why. What
keeps a connection from being complete must be there to see: a reason without its cause is a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared.core.model import conditions as c
from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Condition, Phase
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import from_document
from shared.installation import removal_limit
from shared.installation.pause import lift_pause
from tests.harness.platform_parts import ASKED
from tests.walk.causes import CAUSES
from tests.walk.clients import clients_get, find_it
from tests.walk.hosting import Weather
from tests.walk.scene import PLACES, Place, Scene, connection_of, is_ours, marked
from tests.walk.watch import OPEN, Watch
from tests.walk.wishes import asked_for

ROUNDS = 6
"""Sweeps, five minutes apart, after which all must be as it should be."""


KEEPS = {"WouldReopenPublicAccess", "DeploymentOptedOut"}
"""Reasons for which the removal of what was made for an endpoint waits for a person."""
LED_ELSEWHERE = {"AnsweredByAnotherZone", "AnsweringNetworkNotLinked", "NetworkLinkedToAnotherZone"}
"""Reasons for which a connection stays Degraded: all is set up, and another network, or zone, answers its clients."""


class Unfinished(AssertionError):
    """Things have calmed down, and something is not as it should be."""


async def calm_down(scene: Scene, weather: Weather, watch: Watch, log: Callable[[str], None]) -> None:
    """Nothing fails any more and no person acts; time passes."""
    weather.clear()
    scene.paused_until = None
    estate = scene.estate
    await lift_pause(replace(estate.worker.context, storage=estate.storage), ASKED)
    estate.events.settings.drop, estate.events.settings.duplicate = False, False
    estate.events.settings.delivery_delay = 0.0
    estate.elastic_settings.create_lag_seconds = estate.elastic_settings.association_lag_seconds = 0.0
    # While it leaves settings out, each sweep has what is blocked looked at, to ask for the policies one by one.
    estate.elastic_settings.settings_absent = False
    estate.arm_settings.stale_list_seconds = estate.arm_settings.not_found_after_create_seconds = 0.0
    estate.worker = estate.new_worker()
    for pause in (300.0,) * (ROUNDS - 2) + (3700.0, 300.0):
        await scene.pass_time(pause)
        found = await estate.sweep()
        log(f"calm: the timer finds {found.enqueued} to look at")
        if found.stopped:
            await _confirm(scene, watch, log)
    await scene.pass_time(1800)
    watch.look()


async def _confirm(scene: Scene, watch: Watch, log: Callable[[str], None]) -> None:
    context = scene.estate.worker.context
    stopped = (await removal_limit.read(context)).stopped
    assert stopped is not None
    await removal_limit.confirm(context, stopped.id)
    watch.confirmed += stopped.count
    log(f"calm: a person confirms {stopped.count} removals")


async def check(scene: Scene, watch: Watch) -> dict[str, int]:
    """Raises Unfinished; returns how many connections ended in which phase."""
    await _check_quiet(scene, watch)
    phases: dict[str, int] = {}
    for place in PLACES:
        row = await scene.estate.storage.connections.get(connection_id(place.id))
        record = None if row is None else from_document(row.document)
        if place.name in scene.alive:
            _check_alive(scene, place, record)
        elif place.name in scene.connection_guids:
            _check_gone(scene, place, record)
            _check_unmarked(scene, watch, place, record)
        if record is not None:
            phases[_named(record)] = phases.get(_named(record), 0) + 1
    await _check_later(scene, watch)
    return phases


async def _check_later(scene: Scene, watch: Watch) -> None:
    """Records of what was removed are forgotten by then; nothing is made, and what was left stays."""
    left = {place.name: _things(scene, place) for place in PLACES}
    scene.estate.elastic_settings.api_key_expires_at = scene.estate.clock.now() + timedelta(days=1000)
    await scene.estate.clock.sleep(100 * 24 * 3600)
    for _ in range(4):
        await scene.estate.sweep()
        await scene.pass_time(700)
    watch.look()
    for place in PLACES:
        if (now := _things(scene, place)) != left[place.name]:
            raise Unfinished(f"months later, of what was made for {place.name}, {left[place.name]} became {now}")


def _named(record: ConnectionRecord) -> str:
    ready = record.condition(c.READY)
    return (
        f"{record.status.phase} {ready.reason}"
        if record.status.phase == Phase.BLOCKED and ready
        else str(record.status.phase)
    )


async def _check_quiet(scene: Scene, watch: Watch) -> None:
    """Two more sweeps find nothing to do and write nothing."""
    estate = scene.estate
    await estate.sweep()
    await scene.pass_time(60)
    before = len(estate.worker.wire.calls)
    for _ in range(2):
        found = await estate.sweep()
        if found.enqueued > await _looked_at_each_time(scene) or found.errors:
            raise Unfinished(
                f"the timer still finds {found.enqueued} to look at: {await _looked_at(scene)} {found.errors}"
            )
        await scene.pass_time(60)
    writes = [call.what for call in estate.worker.wire.calls[before:] if call.writes]
    writes = [what for what in writes if what.split()[0] in {"PUT", "POST", "DELETE", "PATCH"}]
    if writes:
        raise Unfinished(f"two more sweeps wrote {writes}")
    watch.look()


async def _looked_at(scene: Scene) -> str:
    """The connections that are on the queue, as they stand."""
    texts = [message.text for message in scene.estate.queue.messages]
    rows = [row async for row in scene.estate.storage.connections.list()]
    known = [from_document(row.document) for row in rows]
    return " | ".join(
        f"{one.identity.name} {_shown(one)}" for one in known if any(f'/{one.identity.name}"' in text for text in texts)
    )


async def _looked_at_each_time(scene: Scene) -> int:
    """Connections whose approval is overdue, or whose test alone fails: only the timer looks, and it does each time."""
    waiting = 0
    for place in scene.alive.values():
        row = await scene.estate.storage.connections.get(connection_id(place.id))
        if row is None:
            continue
        record = from_document(row.document)
        approved, reachable = record.condition(c.APPROVED), record.condition(c.REACHABLE)
        overdue = approved is not None and not approved.true
        waiting += overdue or (reachable is not None and reachable.pending and _only_unreachable(record))
    return waiting


# -- endpoints that are gone ---------------------------------------------------------------------------------------


def _check_gone(scene: Scene, place: Place, record: ConnectionRecord | None) -> None:
    left = _things(scene, place)
    if record is None:
        if left:
            raise Unfinished(f"there is no record of {place.name}, and left are {left}")
        return
    removed = record.condition(c.REMOVED)
    if record.status.phase != Phase.IGNORED and (
        removed is None or (removed.needs is c.WaitingFor.TIME and _enforced(scene, record))
    ):
        raise Unfinished(f"{place.name} is gone and {record.status.phase}: {_shown(record)}")
    retained = _retained(scene, record)
    if left and not record.removal.leftovers and not retained:
        raise Unfinished(f"{place.name} is gone, and left without a word: {left}; {_shown(record)}")
    if record.status.phase == Phase.BLOCKED and removed is not None and removed.reason not in KEEPS:
        raise Unfinished(f"{place.name} is gone and blocked by {removed.reason}: {removed.message}")
    _check_left_for_a_reason(scene, place, record, left, retained=retained)


def _check_unmarked(scene: Scene, watch: Watch, place: Place, record: ConnectionRecord | None) -> None:
    """Associations and claims of ours carry no marker; they go too, if the record that tells of them was not lost."""
    if record is None or scene.tables_lost or _retained(scene, record):
        return
    guids = scene.connection_guids[place.name]
    pairs = {(policy, one) for policy, one in watch.ours if _guids_of(scene, policy) & guids}
    told = " ".join((*record.removal.leftovers, _shown(record)))
    for policy, deployment in pairs:
        if policy not in told and deployment not in told:
            raise Unfinished(f"{place.name} is gone, and {policy} is still associated with {deployment}; told: {told}")
    if watch.our_claims & guids:
        raise Unfinished(f"{place.name} is gone, and still claimed")


def _guids_of(scene: Scene, policy_id: str) -> frozenset[str]:
    return next((one.guids for one in scene.estate.elastic.rulesets() if one.id == policy_id), frozenset())


def _check_left_for_a_reason(
    scene: Scene, place: Place, record: ConnectionRecord, left: list[str], *, retained: bool
) -> None:
    """What stays although it is ours is in use, or holds something of others."""
    if retained:
        return
    for policy in scene.estate.elastic.rulesets():
        if is_ours(policy) and connection_of(policy) == connection_id(place.id):
            others = scene.foreign_guids() & policy.guids or len(policy.guids) > 1
            told = any(policy.id in text for text in record.removal.leftovers)  # it was in use when all else went
            if not told and not others and not [pair for pair in scene.pairs() if pair[0] == policy.id]:
                raise Unfinished(f"policy {policy.id} of {place.name} is left, and no deployment has it")
    if any(text.startswith("record") for text in left):
        raise Unfinished(f"the address of {place.name} is left: {left}; {_shown(record)}")


def _things(scene: Scene, place: Place) -> list[str]:
    """Everything that carries the mark of this endpoint's connection, and no other use."""
    own = connection_id(place.id)
    found = []
    for zone in scene.zones():
        record = zone.record_sets.get(("A", "*"))
        if record is not None and f"elastic-privatelink-holder-{own}" in record.metadata and marked(record.metadata):
            found.append(f"record {zone.id}")
        if zone.tags.get("elastic-privatelink-connection") == own:
            found.append(f"zone {zone.id}")
    found += [f"link {one.id}" for one in scene.links() if one.tags.get("elastic-privatelink-connection") == own]
    found += [
        f"policy {one.id}" for one in scene.estate.elastic.rulesets() if is_ours(one) and connection_of(one) == own
    ]
    return found


def _enforced(scene: Scene, record: ConnectionRecord) -> bool:
    return (record.identity.mode or scene.estate.settings.get("MODE", "enforce")) == "enforce"


def _retained(scene: Scene, record: ConnectionRecord) -> bool:
    removed = record.condition(c.REMOVED)
    asked = (record.identity.on_delete or scene.estate.settings.get("ON_DELETE", "cleanup")) == "retain"
    # What was retained stays so, also when the settings change later.
    return asked or not _enforced(scene, record) or (removed is not None and removed.reason == "Retained")


# -- endpoints that are there --------------------------------------------------------------------------------------


def _check_alive(scene: Scene, place: Place, record: ConnectionRecord | None) -> None:
    if record is None:
        raise Unfinished(f"there is no record of {place.name}")
    if record.identity.mode == "ignore":
        return
    if (
        record.status.phase not in {Phase.READY, Phase.BLOCKED}
        and _enforced(scene, record)
        and not _clients_led_elsewhere(record)
        and not _only_unreachable(record)
    ):
        raise Unfinished(f"{place.name} is {record.status.phase}: {_shown(record)}")
    ready = record.condition(c.READY)
    if record.status.phase == Phase.BLOCKED and ready is not None and ready.reason in LED_ELSEWHERE:
        raise Unfinished(f"{place.name} is Blocked, and told is what blocks nothing: {_shown(record)}")
    approved = record.condition(c.APPROVED)
    ended = approved is not None and approved.reason in {"Rejected", "Disconnected"}
    # An endpoint that can never work any more is not looked after: only that it is so must be true.
    looked_after = (approved,) if ended and approved is not None else record.status.conditions
    for condition in looked_after:
        if condition.type not in {c.READY, c.REACHABLE} and not condition.true and _enforced(scene, record):
            _check_excuse(scene, place, condition)
    if record.status.phase == Phase.READY:
        _check_complete(scene, place)


def _clients_led_elsewhere(record: ConnectionRecord) -> bool:
    """Whether it is as a person set it up that its clients do not get its address; the excuse is judged below."""
    ready = record.condition(c.READY)
    return record.status.phase == Phase.DEGRADED and ready is not None and ready.reason in LED_ELSEWHERE


def _only_unreachable(record: ConnectionRecord) -> bool:
    """Whether nothing but the test fails: it is judged by the tests of the diagnosis."""
    return all(one.true for one in record.status.conditions if one.type not in {c.READY, c.REACHABLE})


def _shown(record: ConnectionRecord) -> str:
    return "; ".join(f"{one.type} {one.status} {one.reason}: {one.message}" for one in record.status.conditions)


def _check_complete(scene: Scene, place: Place) -> None:
    """Ready means: names lead to the endpoint, it is approved, and what it asks for lets it in."""
    found = scene.endpoint(place.name)
    assert found is not None
    if not find_it(scene, place):
        raise Unfinished(f"{place.name} at {found.address} is Ready, and its clients get {clients_get(scene, place)}")
    if found.status != "Approved":
        raise Unfinished(f"{place.name} is Ready, and {found.status}")
    for name in asked_for(scene, place):
        named = [one for one in scene.deployments() if name in {one.id, one.name} and one.status == "started"]
        answers = [scene.estate.elastic.decide(one.private_host(), found.resource_guid).status for one in named]
        if answers and OPEN not in answers:
            raise Unfinished(f"{place.name} is Ready, and {name} answers {answers}")


def _check_excuse(scene: Scene, place: Place, condition: Condition) -> None:
    cause = CAUSES.get(condition.reason)
    told = f"{place.name}: {condition.type} is {condition.status} by {condition.reason}: {condition.message}"
    if cause is None:
        raise Unfinished(f"{told}; that is no reason to stop")
    if not cause(scene, place):
        raise Unfinished(f"{told}; but that is not so")
    if condition.needs is c.WaitingFor.PERSON and not condition.next_step:
        raise Unfinished(f"{told}; and no next step")
