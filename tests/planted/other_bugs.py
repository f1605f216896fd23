"""Bugs in triggers, dashboard, OpenAPI document, local clouds, templates and scripts. Read by `bugs`."""

from __future__ import annotations

from tests.planted.bug import Bug

OTHERS = (
    Bug(
        name="no-retry-after",
        harm="An answer 503 does not say when to come back: clients hammer a storage that throttles.",
        path="functions/responses.py",
        old='headers = {"Retry-After": str(round(error.after))} if isinstance(error, RetryLater) else {}',
        new="headers: dict[str, str] = {}",
        tests=("tests/functions/test_http_errors.py",),
        caught_by="tests/functions/test_http_errors.py::test_storage_that_fails_is_no_fault_of_the_caller",
    ),
    Bug(
        name="picture-reads-another-field",
        harm="The dashboard's picture of the path does not show where the * record points.",
        path="functions/dashboard_files/path.js",
        old='(c.recordAddresses?.length ? `* → ${c.recordAddresses.join(", ")}` : "")',
        new='(c.addresses?.length ? `* → ${c.addresses.join(", ")}` : "")',
        tests=("tests/e2e/dashboard/test_dashboard_one.py",),
        caught_by="tests/e2e/dashboard/test_dashboard_one.py::"
        "test_a_good_connection_shows_its_path_its_addresses_its_checks_and_its_journal",
    ),
    Bug(
        name="undocumented-404",
        harm="The OpenAPI document leaves out the 404 of a confirmation: clients made from it fail on that answer.",
        path="functions/plans.py",
        old='    sends="Decision",\n    may_miss=True,\n',
        new='    sends="Decision",\n',
        tests=("tests/functions/openapi",),
        caught_by="tests/functions/openapi/test_openapi_answers.py::test_what_is_allowed_is_answered_as_described",
    ),
    Bug(
        name="phantom-link-listed",
        harm="The local Azure lists a link that it could not make: tests with a link that stays unseen test nothing.",
        path="local/arm/links.py",
        old='found = [link for link in self._store.listed(f"{zone.id}/virtualNetworkLinks") if not link.phantom]',
        new='found = list(self._store.listed(f"{zone.id}/virtualNetworkLinks"))',
        tests=("tests/local/arm/test_arm_links.py",),
        caught_by="tests/local/arm/test_arm_links.py::test_a_link_that_could_not_be_made_may_stay_behind_unseen",
    ),
    Bug(
        name="new-policy-listed-at-once",
        harm="The local Elastic Cloud lists a policy without the lag that a test asks for: it tries less than it says.",
        path="local/elastic/traffic_filters.py",
        old="found = [r for r in self.rulesets.values() if region in (None, r.region) and self._readable(r)]",
        new="found = [r for r in self.rulesets.values() if region in (None, r.region)]",
        tests=("tests/local/elastic/test_elastic_traffic_filters.py",),
        caught_by="tests/local/elastic/test_elastic_traffic_filters.py::"
        "test_a_new_ruleset_is_unreadable_for_the_lag_and_readable_after_it",
    ),
    Bug(
        name="one-delivery-too-many",
        harm="The local host moves a message to the poison queue after one delivery more than Azure does.",
        path="local/host/queue_listener.py",
        old="elif message.dequeue_count >= most:",
        new="elif message.dequeue_count > most:",
        tests=("tests/local/host/test_queues.py",),
        caught_by="tests/local/host/test_queues.py::"
        "test_a_failed_message_comes_back_after_the_visibility_timeout_and_then_goes_to_poison",
    ),
    Bug(
        name="shortest-zone-wins",
        harm="The local network answers from the parent zone: a name that Azure resolves comes to nothing.",
        path="local/network/dns.py",
        old="return max(fitting, key=lambda zone: len(zone.name), default=None)",
        new="return min(fitting, key=lambda zone: len(zone.name), default=None)",
        tests=("tests/local/network/test_network_names.py",),
        caught_by="tests/local/network/test_network_names.py::test_the_longest_linked_zone_answers",
    ),
    Bug(
        name="delivery-count-off-by-one",
        harm="The local Event Grid calls the first delivery the second, so a receiver takes it for a repetition.",
        path="local/eventgrid/delivery.py",
        old='"aeg-delivery-count": str(number - 1),',
        new='"aeg-delivery-count": str(number),',
        tests=("tests/local/eventgrid/test_event_grid.py",),
        caught_by="tests/local/eventgrid/test_event_grid.py::"
        "test_a_write_is_delivered_alone_in_an_array_with_the_headers_of_event_grid",
    ),
    Bug(
        name="alert-forgets-the-schedule",
        harm="With sweeps once an hour the alert `No successful sweep` rings all the time: its window is fixed.",
        path="infra/app/alerts.bicep",
        old="    window: sweepWindow\n",
        new="    window: 'PT30M'\n",
        tests=("tests/infra/test_infra_promises.py",),
        caught_by="tests/infra/test_infra_promises.py::"
        "test_the_window_of_the_sweeps_alert_follows_the_schedule_that_was_chosen",
    ),
    Bug(
        name="hook-drops-the-topic-identity",
        harm="After a deployment the event subscription has no identity: dead letters are refused, lost events unseen.",
        path="scripts/hooks/after_deploy.py",
        old='        f"topicIdentityId={identity}",\n',
        new="",
        tests=("tests/infra/test_infra_hooks.py", "tests/infra/test_infra_names.py"),
        caught_by="tests/infra/test_infra_names.py::"
        "test_the_hook_waits_for_that_function_and_passes_every_parameter_that_exists",
    ),
)
