"""Bugs that do harm when answers are lost, lists lag, people act or settings are wrong; for `bugs`.

Those with a `life` are found by the fault harness alone, in a life of that name; the others by tests of their own kind:
wiring, retries, pauses, odd headers, several connections at once, rows that are busy, a sweep that raises.
"""

from __future__ import annotations

from tests.planted.bug import Bug

LEAVE, DELETE_BOTH = "two connections leave one deployment", "two endpoints of one deployment are deleted"
MADE, DELETED = "an endpoint is made$", "an endpoint is deleted"

HARM = (
    # -- the notes of targets, and the ages of policies ---------------------------------------------------------------
    Bug(
        name="note-lifted-by-an-error",
        harm="A lost answer lifts the note of a DELETE that has taken effect: the next one opens the deployment (S2).",
        path="shared/reconciler/target_requests.py",
        old="known = view.reading if sole and (changed or proves_nothing_was_done(error)) else noted",
        new="known = view.reading if sole else noted",
        tests=("tests/reconciler/test_lost_answers_of_targets.py",),
        caught_by="tests/reconciler/test_lost_answers_of_targets.py"
        "::test_two_connections_leave_one_deployment_which_is_never_open",
    ),
    Bug(
        name="note-lifted-by-a-200",
        harm="A 200 lifts the note of a DELETE: the next worker's list, which lags, shows the policy still (S2).",
        path="shared/reconciler/target_requests.py",
        old="""\
        async with asyncio.timeout(left):
            return await request()
""",
        new="""\
        async with asyncio.timeout(left):
            answer = await request()
        if sole and noted.deleting(policy_id):
            await _renote(run, replace(row, document=document_of(view.reading, row.document)))
        return answer
""",
        life=f"{LEAVE}$",
        call="elastic GET",
        caught_by=LEAVE,
    ),
    Bug(
        name="note-ends-with-its-deadline",
        harm="A note ends with its request's deadline: a list that lags shows the other policy still, and it is gone.",
        path="shared/core/guards/first_and_last_policy.py",
        old="return until is not None and self.read_at < until + self.lag",
        new="return until is not None and self.read_at < until",
        tests=("tests/models/test_target_requests_model.py",),
        caught_by="tests/models/test_target_requests_model.py::"
        "test_no_target_is_opened_nor_closed_unasked_and_none_waits_for_ever",
    ),
    Bug(
        name="policy-protects-at-once",
        harm="A policy that was associated a moment ago counts at once, though it may not be enforced yet (S2).",
        path="shared/core/guards/first_and_last_policy.py",
        old="return since is not None and self.read_at >= since + self.lag and not",
        new="return since is not None and self.read_at >= since and not",
        tests=("tests/models", "tests/core/guards", "tests/reconciler/test_lost_answers_of_targets.py"),
        caught_by="tests/models/test_target_requests_model.py::"
        "test_no_target_is_opened_nor_closed_unasked_and_none_waits_for_ever",
    ),
    Bug(
        name="note-after-its-request",
        harm="The note of a DELETE is written after it: a worker that is killed in between leaves none (S2).",
        path="shared/reconciler/target_requests.py",
        old="""\
    row = await _put(run, view, noted)
    left = view.patience - view.watch.seconds
    if left <= 0:
        raise Waiting("Noting the request took too long; it was not sent.", on=row.name, after=1.0)
    try:
        async with asyncio.timeout(left):
            return await request()
""",
        new="""\
    row = view.row
    left = view.patience - view.watch.seconds
    if left <= 0:
        raise Waiting("Noting the request took too long; it was not sent.", on=row.name, after=1.0)
    try:
        async with asyncio.timeout(left):
            answer = await request()
        await _put(run, view, noted)
        return answer
""",
        life=LEAVE,
        call="elastic DELETE",
        caught_by=LEAVE,
    ),
    Bug(
        name="gone-policy-counts",
        harm="A policy that our own DELETE is about to take away counts: ours becomes a deployment's first (S1).",
        path="shared/core/guards/first_and_last_policy.py",
        old="if step.may_be_first or any(not reading.deleting(one) for one in others):",
        new="if step.may_be_first or others:",
        tests=("tests/models/test_target_requests_model.py",),
        caught_by="tests/models/test_target_requests_model.py::"
        "test_no_target_is_opened_nor_closed_unasked_and_none_waits_for_ever",
    ),
    # -- the one call that may not be repeated ------------------------------------------------------------------------
    Bug(
        name="intent-lifted-by-an-error",
        harm="A POST whose answer is lost leaves no intent: a second policy is made while lists lag.",
        path="shared/reconciler/elastic_branch.py",
        old="        if proves_nothing_was_done(error):\n",
        new="        if error:\n",
        life=MADE,
        call="elastic POST",
        caught_by=MADE,
    ),
    Bug(
        name="intent-not-stored",
        harm="A worker is killed after the POST of a policy, and no record knows of it: a second one is made.",
        path="shared/reconciler/elastic_branch.py",
        old="        await run.save(renew=True)\n",
        new="        await run.held.renew()\n",
        life=MADE,
        call="elastic POST",
        caught_by=MADE,
    ),
    # -- what belongs to others ---------------------------------------------------------------------------------------
    Bug(
        name="policy-not-read-again",
        harm="A person lets others in by our policy during the removal: it is deleted, and they are cut off.",
        path="shared/reconciler/apply_removal.py",
        old="            if await policy_as_read(run, plan.policies[step.policy_id]) is not None:\n"
        "                await run.elastic.delete_policy(step.policy_id)\n",
        new="            await run.elastic.delete_policy(step.policy_id)\n",
        life=DELETED,
        call="GET .*associations/deployment",
        caught_by=DELETED,
    ),
    Bug(
        name="zone-not-read-again",
        harm="A name that a person adds while the zone is taken down goes with it.",
        path="shared/reconciler/apply_removal.py",
        old="            await _still_empty(run, step.zone)\n            await dns.delete_zone(step)\n",
        new="            await dns.delete_zone(step)\n",
        life=DELETED,
        call="arm (GET|DELETE).*DnsZones",
        caught_by=DELETED,
    ),
    Bug(
        name="record-written-without-etag",
        harm="Two connections write one record at once: the second overwrites the first one's address.",
        path="shared/clouds/azure/private_dns.py",
        old="""\
        condition = dict(_IF_ABSENT) if step.etag is None else _if_unchanged(step.etag, zone)
        doing = "write the zone's * record"
""",
        new="""\
        condition = dict(_IF_ABSENT) if step.etag is None else {}
        doing = "write the zone's * record"
""",
        tests=("tests/reconciler/test_changed_meanwhile.py", "tests/reconciler/test_dns_rules.py"),
        caught_by="tests/reconciler/test_dns_rules.py"
        "::test_a_record_that_others_change_meanwhile_is_read_again_and_not_overwritten",
    ),
    Bug(
        name="row-written-without-etag",
        harm="A newer version's fields, and another worker's record, are overwritten by an older reading.",
        path="shared/state/azure_tables.py",
        old="                    etag=etag,\n                    match_condition=MatchConditions.IfNotModified,\n",
        new="",
        tests=("tests/state/test_state_connections.py", "tests/state/test_state_control.py"),
        caught_by="tests/state/test_state_connections.py::"
        "test_replacing_an_outdated_version_is_a_lost_race_and_changes_nothing",
    ),
    # -- pauses, retries, headers, wiring -----------------------------------------------------------------------------
    Bug(
        name="pause-read-once",
        harm="A pause that begins during a run does not hold for the rest of it (S7).",
        path="shared/reconciler/run_state.py",
        old="        if self.effective_mode.enforces:\n            self.pause = await present_pause(self.context)\n",
        new="",
        life=MADE,
        call="elastic GET",
        caught_by=MADE,
    ),
    Bug(
        name="damaged-pause-is-none",
        harm="A damaged row of the pause is no pause: the app goes on writing where a person has stopped it (S7).",
        path="shared/core/guards/pause.py",
        old="        return Pause(latest - LONGEST, latest, ",
        new="        return Pause(latest - LONGEST, latest - LONGEST, ",
        tests=("tests/damaged/test_rows.py",),
        caught_by="tests/damaged/test_rows.py::test_a_damaged_pause_ends_by_itself_as_the_longest_pause_would",
    ),
    Bug(
        name="retry-after-of-a-year",
        harm="A gateway's Retry-After of a year puts a connection to sleep for a year.",
        path="shared/clouds/answer_headers.py",
        old="return min(LONGEST_RETRY_AFTER, max(1.0, float(text)))",
        new="return max(1.0, float(text))",
        tests=("tests/clouds",),
        caught_by="tests/clouds/azure/test_arm_errors.py::test_a_retry_after_is_kept_within_reason_in_every_form",
    ),
    Bug(
        name="few-deliveries",
        harm="An outage of two minutes puts the messages of all connections into the poison queue.",
        path="host.json",
        old='"maxDequeueCount": 8',
        new='"maxDequeueCount": 2',
        tests=("tests/reconciler/test_outages.py", "tests/infra", "tests/docs"),
        caught_by="tests/reconciler/test_outages.py::test_the_double_of_the_queue_retries_as_the_shipped_host_does",
    ),
    Bug(
        name="timeout-not-wired",
        harm="REQUEST_TIMEOUT_SECONDS is accepted and has no effect on requests to Elastic Cloud.",
        path="shared/composition.py",
        old="            url=settings.elastic.url,\n            timeout=settings.timing.request_timeout,\n",
        new="            url=settings.elastic.url,\n            timeout=10.0,\n",
        tests=("tests/settings/test_every_setting.py",),
        caught_by="tests/settings/test_every_setting.py::test_every_option_of_a_client_is_the_one_that_was_set",
    ),
    Bug(
        name="elastic-request-without-end",
        harm="An answer of Elastic Cloud that drips byte by byte holds its run up for ever.",
        path="shared/clouds/elastic/transport.py",
        old="            async with request_deadline(self.options.timeout, late):",
        new="            async with request_deadline(1e6, late):",
        tests=("tests/clouds/test_request_deadline.py",),
        caught_by="tests/clouds/test_request_deadline.py::test_elastic_cloud_is_given_up_in_time[body]",
    ),
    Bug(
        name="azure-request-without-end",
        harm="An answer of Azure that drips byte by byte holds its run up for ever.",
        path="shared/requests.py",
        old="            async with request_deadline(seconds, late):",
        new="            async with request_deadline(1e6, late):",
        tests=("tests/clouds/test_request_deadline.py",),
        caught_by="tests/clouds/test_request_deadline.py::test_azure_is_given_up_in_time[body]",
    ),
    Bug(
        name="run-without-end",
        harm="A run whose storage is frozen goes on for hours, and keeps its endpoint from all other workers.",
        path="shared/reconciler/loop.py",
        old="        async with asyncio.timeout(limit):\n            await reconcile_once",
        new="        async with asyncio.timeout(None):\n            await reconcile_once",
        tests=("tests/reconciler/test_two_workers.py",),
        caught_by="tests/reconciler/test_two_workers.py"
        "::test_a_run_that_hangs_is_given_up_in_its_time_and_holds_no_other_up",
    ),
    Bug(
        name="zone-of-no-id-read",
        harm="A damaged record that names no zone where it should is taken for whole: Blocked, and no way to mend it.",
        path="shared/core/model/record_document.py",
        old="        parse_arm_id(state.zone.id)\n",
        new="        str(state.zone.id)\n",
        tests=("tests/core/model/test_record.py",),
        caught_by="tests/core/model/test_record.py::test_a_damaged_record_is_refused_and_says_what_to_do[damage10]",
    ),
    Bug(
        name="event-in-other-letters",
        harm="An event whose type is in other letters is dropped: a new endpoint waits for the sweep.",
        path="shared/core/model/messages.py",
        old="cause = _CAUSES.get(event_type.lower())",
        new="cause = _CAUSES.get(event_type)",
        tests=("tests/events", "tests/core/model"),
        caught_by="tests/core/model/test_event_hints.py::"
        "test_writes_and_deletes_of_either_schema_name_the_endpoint_as_azure_spelled_it",
    ),
    # -- several connections at once ----------------------------------------------------------------------------------
    Bug(
        name="unread-taken-for-wanted",
        harm="A sweep that could not read everything lifts a stop of removals (S6).",
        path="shared/core/guards/removal_limit.py",
        old="standing = frozenset(found.unwanted) | (stood & frozenset(found.unseen))",
        new="standing = frozenset(found.unwanted)",
        tests=("tests/core/guards/test_removal_limit_rules.py",),
        caught_by="tests/core/guards/test_removal_limit_rules.py"
        "::test_of_all_splits_a_stop_ends_exactly_when_missing_and_unread_are_no_more_than_the_limit",
    ),
    Bug(
        name="torn-down-not-counted",
        harm="Connections that a slip makes unwanted one after the other are torn down, as many as there are (S6).",
        path="shared/core/guards/removal_limit.py",
        old="count = len(standing | torn.keys() | (self.changed - allowed))",
        new="count = len(standing | (self.changed - allowed))",
        tests=("tests/core/guards", "tests/reconciler/test_safety.py"),
        caught_by="tests/core/guards/test_removal_limit_rules.py::"
        "test_one_connection_counts_once_however_often_it_is_tried",
    ),
    Bug(
        name="sweep-keeps-its-lease",
        harm="A sweep that raised keeps the next one waiting until its lease has ended.",
        path="shared/state/control.py",
        old="    try:\n        async with held.renewing():\n            yield held\n    finally:\n        try:\n"
        "            await held.give_back()\n",
        new="    async with held.renewing():\n        yield held\n    if True:\n        try:\n"
        "            await held.give_back()\n",
        tests=("tests/sweep/test_sweep_that_raises.py",),
        caught_by="tests/sweep/test_sweep_that_raises.py::test_a_sweep_that_raised_has_given_its_lease_back",
    ),
    # -- reads that are late or short -----------------------------------------------------------------------------
    Bug(
        name="claim-looked-for",
        harm="A list of claims that is short makes a removal forget the app's claim: it stays for ever, and unsaid.",
        path="shared/core/planning/removal.py",
        old="    if claim is not None and claim.owner is Owner.OURS:  # not",
        new="    if claim is not None and claim.owner is Owner.OURS and _listed(claim, observed):  # not",
        tests=("tests/core/planning/test_removal_plan.py",),
        caught_by="tests/core/planning/test_removal_plan.py"
        "::test_a_claim_of_ours_is_given_up_whether_a_list_has_it_or_not_and_no_other",
    ),
    Bug(
        name="outdated-list-sent-again",
        harm="While lists lag every worker finds out for itself that a project's list is no more: a storm of 412.",
        path="shared/reconciler/target_requests.py",
        old="    if reading.is_outdated(seen.version):\n",
        new="    if False:\n",
        tests=("tests/reconciler/test_project_lists_over_time.py",),
        caught_by="tests/reconciler/test_project_lists_over_time.py"
        "::test_a_list_that_is_shown_as_it_was_is_not_sent_the_same_change_again_at_once",
    ),
    Bug(
        name="former-endpoint-followed",
        harm="Azure shows an endpoint as it was before it was made anew: its policy follows back, and it is cut off.",
        path="shared/core/planning/former.py",
        old="    if guid != identity.guid.lower() and guid in {",
        new="    if not guid and guid in {",
        tests=("tests/reconciler/test_never_addressed.py",),
        caught_by="tests/reconciler/test_never_addressed.py"
        "::test_one_that_was_made_anew_is_not_taken_for_the_former_one_when_azure_shows_it_late",
    ),
    Bug(
        name="own-change-in-other-letters",
        harm="The app's own changes come back as events, because Azure spells the application id in capitals.",
        path="shared/core/model/messages.py",
        old='return bool(one) and one.replace("-", "").lower() == other.replace("-", "").lower()',
        new='return bool(one) and one.replace("-", "") == other.replace("-", "")',
        tests=("tests/core/model",),
        caught_by="tests/core/model/test_event_hints.py"
        "::test_a_change_that_the_app_made_is_dropped_however_its_id_is_spelled",
    ),
)
