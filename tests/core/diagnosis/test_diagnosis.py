"""From evidence to verdict: every failure and every answer has one meaning."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from shared.core.diagnosis import (
    Evidence,
    Failure,
    StageResult,
    Subject,
    Surroundings,
    Verdict,
    address_failure,
    diagnose,
    hosts_to_test,
    summarize,
    weighed,
    worst_of,
)
from shared.core.model.conditions import Explanation
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ElasticState, TargetMemory
from shared.core.model.services import PrivateUrl

SEEN = Evidence(
    host="d.es.privatelink.eastus2.azure.elastic-cloud.com",
    port=9243,
    expected_address="10.0.0.4",
    addresses=("10.0.0.4",),
    stages=(StageResult("resolve", True, 3.0, "10.0.0.4"), StageResult("connect", False, 2.0, "connection {odd} text")),
)
DENIED = '{"error":{"root_cause":[{"type":"security_exception"}]},"status":401}'
FILTERED = '{"ok":false,"message":"Forbidden due to traffic filtering. Please see the Elastic documentation."}'
UNKNOWN = '{"ok":false,"message":"Unknown resource."}'


def answered(
    status: int,
    body: str = "",
    *,
    elastic: bool = False,
    service: str = "elasticsearch",
    kibana: bool = False,
    to: str = "",
) -> Evidence:
    return replace(
        SEEN,
        stages=SEEN.stages[:1],
        http_status=status,
        body=body,
        elastic_product=elastic,
        service=service,
        kibana=kibana,
        location=to,
    )


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        (Failure.NAME_NOT_FOUND, "unreachable", "NameNotFound"),
        (Failure.RESOLVER_FAILED, "unknown", "ResolverFailed"),
        (Failure.PUBLIC_ADDRESS, "unreachable", "PublicAddress"),
        (Failure.WRONG_ADDRESS, "unreachable", "WrongAddress"),
        *((one, "unreachable", "NoRoute") for one in (Failure.REFUSED, Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT)),
        (Failure.CERTIFICATE_MISMATCH, "unreachable", "CertificateMismatch"),
        (Failure.CERTIFICATE_NOT_TRUSTED, "unreachable", "CertificateNotTrusted"),
        (Failure.TLS_FAILED, "unreachable", "TlsFailed"),
        (Failure.RESET, "unreachable", "TlsFailed"),
        (Failure.NO_ANSWER, "degraded", "NoAnswer"),
        (Failure.NOT_HTTP, "degraded", "UnexpectedAnswer"),
        (Failure.PROBE_FAILED, "unknown", "ProbeFailed"),
    ],
)
def test_each_failure_of_the_path_has_its_verdict(failure: Failure, status: str, reason: str) -> None:
    verdict = diagnose(replace(SEEN, failure=failure))
    assert (verdict.status, verdict.reason) == (status, reason)


APP, SPOKE = "/networks/app", "/networks/spoke"
KNOWN = Surroundings(approved=True, app_network=APP, network=SPOKE)
OWN = replace(KNOWN, app_network=SPOKE.upper())
UNKNOWN_APP = Surroundings(approved=True, network=SPOKE)


@pytest.mark.parametrize(
    ("failure", "around", "status", "reason"),
    [
        (Failure.CONNECT_TIMEOUT, Surroundings(), "unreachable", "NoRoute"),
        (Failure.CONNECT_TIMEOUT, Surroundings(reached_before=True, peered=True), "unreachable", "NoRoute"),
        (Failure.CONNECT_TIMEOUT, KNOWN, "unknown", "NoRouteFromApp"),
        (Failure.UNREACHABLE, replace(KNOWN, peered=False), "unknown", "NoRouteFromApp"),
        (Failure.CONNECT_TIMEOUT, replace(KNOWN, peered=True), "unknown", "NoRouteFromApp"),
        (Failure.CONNECT_TIMEOUT, UNKNOWN_APP, "unknown", "NoRouteFromApp"),
        (Failure.CONNECT_TIMEOUT, replace(KNOWN, reached_before=True), "unreachable", "NoRouteAlthoughApproved"),
        (Failure.CONNECT_TIMEOUT, OWN, "unreachable", "NoRouteAlthoughApproved"),
        (Failure.UNREACHABLE, OWN, "unreachable", "NoRouteAlthoughApproved"),
        (Failure.REFUSED, UNKNOWN_APP, "unknown", "RefusedOnTheWay"),
        (Failure.REFUSED, replace(KNOWN, peered=True), "unknown", "RefusedOnTheWay"),
        (Failure.RESET, replace(KNOWN, peered=False), "unknown", "RefusedOnTheWay"),
        (Failure.REFUSED, replace(KNOWN, reached_before=True), "unreachable", "RefusedOnTheWay"),
        (Failure.RESET, replace(KNOWN, reached_before=True), "unreachable", "RefusedOnTheWay"),
        (Failure.REFUSED, OWN, "unreachable", "NoRouteAlthoughApproved"),
        (Failure.RESET, OWN, "unreachable", "TlsFailed"),
        (Failure.REFUSED, Surroundings(), "unreachable", "NoRoute"),
        (Failure.TLS_FAILED, replace(KNOWN, peered=False), "unreachable", "TlsFailed"),
        (Failure.NAME_NOT_FOUND, KNOWN, "unreachable", "NameNotFound"),
    ],
)
def test_what_is_known_around_a_failure_decides_what_it_means(
    failure: Failure, around: Surroundings, status: str, reason: str
) -> None:
    verdict = diagnose(replace(SEEN, failure=failure), around=around)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert_presentable(verdict)


@pytest.mark.parametrize("failure", [Failure.CONNECT_TIMEOUT, Failure.REFUSED])
@pytest.mark.parametrize(
    ("around", "known"),
    [
        (replace(KNOWN, peered=True), "are peered, which alone makes no way"),
        (replace(KNOWN, peered=False), "are not peered"),
        (KNOWN, "may be peered or not"),
        (UNKNOWN_APP, "is not known (APP_VNET)"),
    ],
)
def test_a_way_that_was_never_seen_is_told_with_what_is_known_of_it_and_how_to_open_it(
    failure: Failure, around: Surroundings, known: str
) -> None:
    verdict = diagnose(replace(SEEN, failure=failure), around=around)
    assert known in verdict.message
    assert SPOKE in verdict.message
    named = {around.app_network or "the app's network", around.network, "9243", "10.0.0.4"}
    assert [name for name in named if name not in verdict.next_step] == []


def test_a_name_in_the_zone_that_hides_its_record_is_named() -> None:
    for failure in (Failure.NAME_NOT_FOUND, Failure.PUBLIC_ADDRESS, Failure.WRONG_ADDRESS):
        told = diagnose(replace(SEEN, failure=failure, hidden_by="es")).message
        assert told.endswith("; the name es in the zone hides its * record.")
        assert "hides" not in diagnose(replace(SEEN, failure=failure)).message


def test_a_connection_that_was_reset_before_tls_has_not_been_seen_to_reach_the_endpoint() -> None:
    stages = (StageResult("connect", True, 1.0, ""), StageResult("tls", False, 1.0, ""))
    found = {failure: replace(SEEN, stages=stages, failure=failure).connected for failure in (None, *Failure)}
    assert [failure for failure, connected in found.items() if not connected] == [Failure.RESET]


@pytest.mark.parametrize(
    ("associated", "policies", "reason"),
    [
        (True, None, "ForbiddenByPolicy"),
        (True, 2, "ForbiddenByPolicy"),
        (False, 0, "NotAssociated"),
        (False, None, "NotAssociated"),
        (False, 2, "OnlyOtherPolicies"),
    ],
)
def test_what_the_proxys_403_is_to_be_blamed_on(associated: bool, policies: int | None, reason: str) -> None:
    subject = Subject(SEEN.host, associated=associated, policies=policies)
    assert diagnose(answered(403, FILTERED), subject).reason == reason


@pytest.mark.parametrize(
    ("evidence", "status", "reason"),
    [
        (answered(401, DENIED, elastic=True), "healthy", "Reachable"),
        (answered(401, DENIED), "healthy", "Reachable"),
        (answered(200, '{"tagline":"You Know, for Search"}'), "healthy", "Reachable"),
        (answered(200, elastic=True), "healthy", "Reachable"),
        (answered(403, DENIED.replace("401", "403")), "healthy", "Reachable"),
        (answered(403, '{"ok":false}', elastic=True), "healthy", "Reachable"),
        (answered(403, FILTERED), "blocked", "ForbiddenByPolicy"),
        (answered(403, '{"ok":false,"message":"Forbidden"}'), "blocked", "ForbiddenByPolicy"),
        (answered(403, "Forbidden due to traffic filtering"), "blocked", "ForbiddenByPolicy"),
        (answered(403, '"Forbidden"\n'), "blocked", "ForbiddenByPolicy"),
        (answered(404, UNKNOWN), "unreachable", "UnknownResource"),
        (answered(404, '{"ok":true}'), "degraded", "UnexpectedAnswer"),
        (answered(404, "Forbidden"), "degraded", "UnexpectedAnswer"),
        (answered(404, elastic=True), "degraded", "UnexpectedAnswer"),
        (answered(403, "<html>firewall</html>"), "degraded", "UnexpectedAnswer"),
        (answered(403, '{"errors":[{"code":"root.permission_denied"}]}'), "degraded", "UnexpectedAnswer"),
        (answered(401, "<html>captive portal</html>"), "degraded", "UnexpectedAnswer"),
        (answered(200, "it works"), "degraded", "UnexpectedAnswer"),
        (answered(302), "degraded", "UnexpectedAnswer"),
        (answered(429), "degraded", "UnexpectedAnswer"),
        (answered(429, elastic=True), "degraded", "ElasticsearchError"),
        (answered(503, elastic=True), "degraded", "ElasticsearchError"),
        (answered(500, '{"ok":false,"message":"no instances"}'), "degraded", "ElasticsearchError"),
        (answered(200, "[" * 100_000), "degraded", "UnexpectedAnswer"),
    ],
)
def test_each_http_answer_has_its_verdict(evidence: Evidence, status: str, reason: str) -> None:
    verdict = diagnose(evidence)
    assert (verdict.status, verdict.reason) == (status, reason)


def of(service: str, status: int, body: str = "", **more: Any) -> Evidence:
    return answered(status, body, service=service, **more)


@pytest.mark.parametrize(
    ("evidence", "status", "reason"),
    [
        (of("kibana", 302, to="/login?next=%2F"), "healthy", "Reachable"),
        (of("kibana", 302, to=f"https://{SEEN.host}/spaces/enter", kibana=True), "healthy", "Reachable"),
        (of("kibana", 302, to="https://portal.example/sign-in"), "degraded", "UnexpectedAnswer"),
        (of("kibana", 302, to="https://portal.example/sign-in", kibana=True), "degraded", "UnexpectedAnswer"),
        (of("kibana", 302, to="//portal.example/"), "degraded", "UnexpectedAnswer"),
        (of("kibana", 302, to="https://[portal"), "degraded", "UnexpectedAnswer"),
        (of("kibana", 302), "degraded", "UnexpectedAnswer"),
        (of("kibana", 200, "<html>Kibana</html>", kibana=True), "healthy", "Reachable"),
        (of("kibana", 200, "<html>captive portal</html>"), "degraded", "UnexpectedAnswer"),
        (of("kibana", 401, '{"statusCode":401,"error":"Unauthorized"}'), "healthy", "Reachable"),
        (of("kibana", 403, '{"statusCode":403,"error":"Forbidden"}', kibana=True), "healthy", "Reachable"),
        (of("kibana", 403, FILTERED), "blocked", "ForbiddenByPolicy"),
        (of("kibana", 404, UNKNOWN), "unreachable", "UnknownResource"),
        (of("kibana", 503, "Kibana server is not ready yet", kibana=True), "degraded", "ServiceError"),
        (of("integrations_server", 200), "healthy", "Reachable"),
        (of("apm", 200, '{"publish_ready":true}'), "healthy", "Reachable"),
        (of("apm", 401, '{"error":"unauthorized"}'), "healthy", "Reachable"),
        (of("apm", 403, FILTERED), "blocked", "ForbiddenByPolicy"),
        (of("apm", 200, "<html>it works</html>"), "degraded", "UnexpectedAnswer"),
        (of("apm", 302, to="/login"), "degraded", "UnexpectedAnswer"),
        (of("apm", 502, '{"ok":false}'), "degraded", "ServiceError"),
        (of("fleet", 200, '{"name":"fleet-server","status":"HEALTHY"}'), "healthy", "Reachable"),
        (of("fleet", 401, '{"statusCode":401,"error":"ErrNoAuthHeader"}'), "healthy", "Reachable"),
        (of("fleet", 503, '{"name":"fleet-server","status":"STARTING"}'), "degraded", "ServiceError"),
        (of("fleet", 429, '{"name":"fleet-server"}'), "degraded", "ServiceError"),
        (of("fleet", 200, '{"name":"something else"}'), "degraded", "UnexpectedAnswer"),
        (of("fleet", 404, "404 page not found"), "degraded", "UnexpectedAnswer"),
        (of("enterprise_search", 302, to="/ent/select"), "healthy", "Reachable"),
        (of("enterprise_search", 200, "<html>Search</html>"), "healthy", "Reachable"),
        (of("enterprise_search", 302, to="https://portal.example"), "degraded", "UnexpectedAnswer"),
        (of("appsearch", 403, FILTERED), "blocked", "ForbiddenByPolicy"),
        (of("a service of the future", 200), "degraded", "UnexpectedAnswer"),
    ],
)
def test_each_product_answers_in_its_own_way(evidence: Evidence, status: str, reason: str) -> None:
    verdict = diagnose(evidence)
    assert (verdict.status, verdict.reason) == (status, reason)


def test_the_product_is_named_in_the_cause() -> None:
    verdict = diagnose(of("fleet", 503, '{"name":"fleet-server"}'))
    assert "Fleet Server" in verdict.message
    assert "Fleet Server" in verdict.next_step


ES, KIBANA = "elasticsearch", "kibana"


@pytest.mark.parametrize(
    ("found", "status", "host"),
    [
        ([(ES, "healthy"), (KIBANA, "healthy")], "healthy", "host-0"),
        ([(ES, "healthy"), (KIBANA, "unreachable")], "degraded", "host-1"),
        ([(ES, "healthy"), (KIBANA, "blocked")], "degraded", "host-1"),
        ([(ES, "healthy"), (KIBANA, "unknown")], "unknown", "host-1"),
        ([(ES, "unreachable"), (KIBANA, "unreachable")], "unreachable", "host-0"),
        ([(ES, "degraded"), (KIBANA, "unreachable")], "degraded", "host-0"),
        ([(ES, "healthy"), (ES, "blocked"), (KIBANA, "degraded")], "blocked", "host-1"),
        ([(ES, "blocked"), (ES, "unreachable")], "unreachable", "host-1"),
        ([(ES, "unknown"), (ES, "degraded")], "degraded", "host-1"),
    ],
)
def test_the_gravest_name_speaks_for_the_connection_and_a_lesser_service_only_degrades_it(
    found: list[tuple[str, Any]], status: str, host: str
) -> None:
    verdicts = [
        Verdict(status, Explanation(Reason.NO_ANSWER, "Message.", "Step."), f"host-{number}", service)
        for number, (service, status) in enumerate(found)
    ]
    worst = worst_of(verdicts)
    assert (weighed(worst).status, worst.host) == (status, host)
    text = summarize(verdicts)
    assert text.startswith(f"{host}: Message.")
    others = [one.host for one in verdicts if one.status != "healthy" and one.host != host]
    assert all(other in text for other in others)


def test_every_tested_service_of_every_deployment_is_tested_once_elasticsearch_first() -> None:
    def target(name: str, *services: str) -> TargetMemory:
        urls = tuple(PrivateUrl(service, f"{name}.{service[:3]}.zone", 9243) for service in services)
        return TargetMemory(name, name, urls)

    everything = ("elasticsearch", "kibana", "integrations_server", "apm", "fleet", "enterprise_search", "ingest")
    connection = ConnectionRecord(
        "/x", elastic=ElasticState(targets=(target("a", *everything), target("b", "elasticsearch")))
    )
    assert [(one.host, one.service) for one in hosts_to_test(connection, "zone")] == [
        ("a.ela.zone", "elasticsearch"),
        ("b.ela.zone", "elasticsearch"),
        ("a.kib.zone", "kibana"),
        ("a.int.zone", "integrations_server"),
        ("a.apm.zone", "apm"),
        ("a.fle.zone", "fleet"),
        ("a.ent.zone", "enterprise_search"),
    ]
    (alone,) = hosts_to_test(ConnectionRecord("/x"), "zone")
    assert (alone.path_only, alone.service) == (True, "elasticsearch")
    shared = tuple(PrivateUrl(service, "d.apm.zone", 9243) for service in ("integrations_server", "apm"))
    assert (
        len(
            hosts_to_test(
                ConnectionRecord("/x", elastic=ElasticState(targets=(TargetMemory("d", "d", shared),))), "zone"
            )
        )
        == 1
    )


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (answered(404, UNKNOWN), "PathWorks"),
        (answered(403, FILTERED), "PathWorks"),
        (answered(401, DENIED, elastic=True), "Reachable"),
        (answered(404, "<html>"), "UnexpectedAnswer"),
        (answered(503), "ElasticsearchError"),
        (replace(SEEN, failure=Failure.CERTIFICATE_MISMATCH), "CertificateMismatch"),
    ],
)
def test_where_no_deployment_is_expected_the_proxys_refusal_proves_the_path(evidence: Evidence, reason: str) -> None:
    assert diagnose(evidence, Subject(evidence.host, path_only=True)).reason == reason


def test_other_addresses_degrade_a_healthy_verdict_unless_they_belong_there() -> None:
    several = replace(answered(401, DENIED), addresses=("10.0.0.4", "10.0.0.9"))
    assert (diagnose(several).status, diagnose(several).reason) == ("degraded", "WrongAddress")
    assert diagnose(several, shared_with=["10.0.0.9"]).reason == "Reachable"
    assert diagnose(replace(several, body=FILTERED, http_status=403)).reason == "ForbiddenByPolicy"


@pytest.mark.parametrize(
    ("addresses", "failure"),
    [
        (("10.0.0.4",), None),
        (("20.1.2.3", "10.0.0.4"), None),
        ((), Failure.NAME_NOT_FOUND),
        (("10.0.0.5",), Failure.WRONG_ADDRESS),
        (("127.77.0.5",), Failure.WRONG_ADDRESS),
        (("100.64.0.1",), Failure.WRONG_ADDRESS),
        (("not an address",), Failure.WRONG_ADDRESS),
        (("10.0.0.5", "20.1.2.3"), Failure.PUBLIC_ADDRESS),
    ],
)
def test_addresses_are_compared_with_the_endpoints_own(addresses: tuple[str, ...], failure: Failure | None) -> None:
    assert address_failure("10.0.0.4", addresses) is failure


def test_an_unhealthy_verdict_says_what_was_seen_and_what_to_do() -> None:
    verdict = diagnose(replace(SEEN, failure=Failure.WRONG_ADDRESS, addresses=("10.0.0.9", "10.0.0.8")))
    assert verdict.message == (
        "d.es.privatelink.eastus2.azure.elastic-cloud.com resolves to 10.0.0.9, 10.0.0.8, not to the private endpoint "
        "at 10.0.0.4."
    )
    assert "* record" in verdict.next_step


def test_the_detail_of_the_failed_stage_is_in_the_cause_even_with_braces() -> None:
    verdict = diagnose(replace(SEEN, failure=Failure.REFUSED))
    assert verdict.message == "10.0.0.4 refused the connection to port 9243: connection {odd} text."


@pytest.mark.parametrize("failure", list(Failure))
def test_no_failure_is_without_a_reading(failure: Failure) -> None:
    verdict = diagnose(replace(SEEN, failure=failure))
    assert_presentable(verdict)
    assert verdict.next_step.endswith(".")


@pytest.mark.parametrize("status", [200, 204, 302, 401, 403, 404, 418, 500, 599])
@pytest.mark.parametrize("body", ["", DENIED, FILTERED, "null"])
def test_no_answer_is_without_a_reading(status: int, body: str) -> None:
    assert_presentable(diagnose(answered(status, body)))


def test_evidence_that_ends_early_is_unknown_and_not_healthy() -> None:
    assert diagnose(SEEN).status == "unknown"


def test_the_times_of_the_stages_add_up() -> None:
    assert SEEN.milliseconds == 5.0
    assert SEEN.failed_stage is SEEN.stages[1]


def assert_presentable(verdict: Verdict) -> None:
    assert re.fullmatch(r"([A-Z][a-z0-9]+)+", verdict.reason)
    assert verdict.message.endswith(".")
    assert "None" not in verdict.message
    assert bool(verdict.next_step) == (verdict.status != "healthy")
