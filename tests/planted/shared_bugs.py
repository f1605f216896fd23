"""Bugs in the loop, the removal, the sweep, the clients, state, settings and the rest of `shared/`. Read by `bugs`."""

from __future__ import annotations

from tests.planted.bug import Bug

SHARED = (
    Bug(
        name="pending-work-taken-for-a-wait",
        harm="What arrives during a wait's run gets a look at the approval only: a changed tag waits for a sweep.",
        path="shared/reconciler/loop.py",
        old="_as_told(replace(message, cause=Cause.PENDING, wake_at=None), held)",
        new="_as_told(replace(message, wake_at=None), held)",
        tests=("tests/reconciler/test_doubtful_answers.py",),
        caught_by="tests/reconciler/test_doubtful_answers.py::"
        "test_work_that_comes_during_a_look_at_the_approval_looks_at_everything[event-write]",
    ),
    Bug(
        name="claim-before-its-memory",
        harm="A worker dies between the claim and its record: the claim counts as others', and is never given up.",
        path="shared/reconciler/elastic_branch.py",
        old="""\
    run.record = run.record.with_elastic(claim=memory)
    await run.save()
    try:
        await claims_of(run.elastic).claim(step)
""",
        new="""\
    run.record = run.record.with_elastic(claim=memory)
    try:
        await claims_of(run.elastic).claim(step)
        await run.save()
""",
        tests=("tests/reconciler/test_crashes_later.py", "tests/reconciler/test_doubtful_answers.py"),
        caught_by="tests/reconciler/test_crashes_later.py::"
        "test_a_fault_at_any_remote_call_of_a_later_chapter_costs_only_time",
    ),
    Bug(
        name="lag-of-disassociation-forgotten",
        harm="Two connections leave one deployment at once, each counting on the other's policy: it is open (S2).",
        path="shared/core/guards/first_and_last_policy.py",
        old="return since is not None and self.read_at >= since + self.lag and not self.deleting(policy_id)",
        new="return since is not None and self.read_at >= since + self.lag",
        tests=("tests/reconciler/test_lost_answers_of_targets.py",),
        caught_by="tests/reconciler/test_lost_answers_of_targets.py::"
        "test_two_connections_leave_one_deployment_which_is_never_open",
    ),
    Bug(
        name="damaged-record-taken-for-none",
        harm="A connection whose record cannot be read is sent out as an orphan at every sweep, and fails each time.",
        path="shared/core/planning/triage.py",
        old="recorded = connection_id(text) in snapshot.unreadable or (record is not None and has_things(record))",
        new="recorded = record is not None and has_things(record)",
        tests=("tests/reconciler/test_lost_tables.py", "tests/sweep/test_sweep.py"),
        caught_by="tests/sweep/test_sweep.py::test_a_damaged_record_is_reported_and_stops_nothing",
    ),
    Bug(
        name="link-deleted-without-etag",
        harm="A link that a person changed since it was read is deleted all the same.",
        path="shared/clouds/azure/private_dns.py",
        old="""\
                    step.name,
                    headers=_if_unchanged(step.etag, zone),
                    raw_response_hook=heard,
""",
        new="""\
                    step.name,
                    raw_response_hook=heard,
""",
        tests=(
            "tests/reconciler/test_removal.py",
            "tests/reconciler/test_removal_leaves.py",
            "tests/reconciler/test_safety.py",
        ),
        caught_by="tests/reconciler/test_removal_leaves.py::"
        "test_what_a_person_takes_over_just_before_it_is_deleted_is_not_deleted",
    ),
    Bug(
        name="short-list-of-a-project-believed",
        harm="One answer about a project leaves out a policy of others: the app's write of the list takes it away.",
        path="shared/clouds/elastic/serverless/project_lists.py",
        old="        if not self._lacks(project_id, found):\n            return found\n",
        new="        if found is not None:\n            return found\n",
        life="an endpoint is made, projects",
        call="GET .*projects/elasticsearch/",
        caught_by="an endpoint is made, projects",
    ),
    Bug(
        name="short-page-taken-for-the-last",
        harm="Elastic Cloud answers a search with short pages: deployments on the later ones count as not found.",
        path="shared/clouds/elastic/hosted/client.py",
        old="missing = matches - came if isinstance(matches, int) else 0",
        new="missing = len(entries) - _PAGE + 1",
        tests=("tests/reconciler/test_doubtful_answers.py",),
        caught_by="tests/reconciler/test_doubtful_answers.py::"
        "test_a_search_that_answers_few_at_a_time_is_read_to_its_end",
    ),
    Bug(
        name="delay-cut-to-whole-seconds",
        harm="A wait's message comes up to a second early: the loop looks before Azure wants to be asked again.",
        path="shared/core/model/messages.py",
        old="return min(MAX_DELAY, max(0, math.ceil(delay)))",
        new="return min(MAX_DELAY, max(0, math.floor(delay)))",
        tests=("tests/state/test_state_queue.py",),
        caught_by="tests/state/test_state_queue.py::test_delays_are_whole_seconds_and_never_shorter_than_asked_for",
    ),
    Bug(
        name="lease-not-renewed-for-another-round",
        harm="A second round runs on what is left of the first one's lease: another worker takes over in its middle.",
        path="shared/state/control.py",
        old="        self._since = sent\n",
        new="        self._since = self._since or sent\n",
        tests=("tests/state/test_lease_time.py",),
        caught_by="tests/state/test_lease_time.py::test_a_lease_is_renewed_for_as_long_as_the_work_takes",
    ),
    Bug(
        name="pattern-in-a-deny-list-accepted",
        harm="A deny list with `prod-*` is accepted and matches nothing: it lets in what it was to keep out.",
        path="shared/core/options/values.py",
        old="if not all(entry == EVERYTHING or (EVERYTHING not in entry and understood(entry)) for entry in entries):",
        new="if not all(entry == EVERYTHING or understood(entry) for entry in entries):",
        tests=("tests/settings/test_setting_values.py",),
        caught_by="tests/settings/test_setting_values.py::test_a_bad_value_is_refused_with_the_settings_name",
    ),
    Bug(
        name="row-of-a-running-worker-rewritten",
        harm="The sweep writes a notification into a row that a run holds: the run loses a race, and tells it twice.",
        path="shared/notifications/outbox.py",
        old="return None if running else row",
        new="return row",
        tests=("tests/notifications/test_notify_delivery.py", "tests/notifications/test_notify_transitions.py"),
        caught_by="tests/notifications/test_notify_delivery.py::test_a_sweep_leaves_the_record_of_a_run_under_way_to_that_run",
    ),
    Bug(
        name="host-without-its-port",
        harm="A test of port 9243 names the host without the port; a proxy that looks at it answers for another name.",
        path="shared/probe/run.py",
        old='host = target.host if target.port == _HTTPS_PORT else f"{target.host}:{target.port}"',
        new="host = target.host",
        tests=("tests/probe/test_probe_stages.py", "tests/probe/test_probe_tls_and_http.py"),
        caught_by="tests/probe/test_probe_stages.py::test_the_host_header_has_the_port_except_443",
    ),
    Bug(
        name="signed-addresses-shown",
        harm="GET /api/connections/{id} shows the addresses of operations that Azure signed for the app.",
        path="shared/api/views.py",
        old="record_addresses=dns.record_addresses,",
        new="record_addresses=(*dns.record_addresses, *(one.url for one in dns.operations)),",
        tests=("tests/functions/test_http_api.py", "tests/reconciler/test_long_operations.py"),
        caught_by="tests/functions/test_http_api.py::test_the_addresses_that_azure_signed_for_the_app_are_not_shown",
    ),
)
