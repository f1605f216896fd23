"""Bugs in the pure core: planning, selection, diagnosis, markers, events. Read by `bugs`."""

from __future__ import annotations

from tests.planted.bug import Bug

CORE = (
    Bug(
        name="link-before-record",
        harm="A network is linked while the zone's * record still points elsewhere: clients reach the wrong address.",
        path="shared/core/planning/dns.py",
        old="steps=(*record_steps, *link_steps),",
        new="steps=(*link_steps, *record_steps),",
        tests=("tests/core/planning/test_dns.py",),
        caught_by="tests/core/planning/test_dns.py::"
        "test_a_zone_at_home_is_used_and_not_made_again_however_its_id_is_spelled",
    ),
    Bug(
        name="guid-compared-with-case",
        harm="A GUID that Azure answers in other capitals is a new one: a policy that does not show yet is made twice.",
        path="shared/core/planning/policy.py",
        old='same = record.identity.guid.lower() in {"", desired.endpoint.guid.lower()}',
        new='same = record.identity.guid in {"", desired.endpoint.guid}',
        tests=("tests/core/planning/test_policy.py",),
        caught_by="tests/core/planning/test_policy.py"
        "::test_a_guid_in_other_letters_is_the_same_and_its_policy_that_does_not_show_yet_is_not_made_twice",
    ),
    Bug(
        name="adopted-association-taken-away",
        harm="An association that a person made is taken away once no tag asks for it (S4): their clients are cut off.",
        path="shared/core/planning/associations.py",
        old="if memory.owner is not Owner.ADOPTED and memory.target_id in standing - wanted",
        new="if memory.target_id in standing - wanted",
        tests=("tests/core/planning/test_associations.py",),
        caught_by="tests/core/planning/test_associations.py::"
        "test_only_an_association_that_we_made_is_removed_when_no_tag_asks_for_it",
    ),
    Bug(
        name="shared-address-withdrawn",
        harm="Two endpoints had one address in the * record; when one of them goes, the other's clients lose the name.",
        path="shared/core/planning/dns_record.py",
        old="if one != mine.address or one in held)",
        new="if one != mine.address)",
        tests=("tests/core/planning/test_removal_dns.py",),
        caught_by="tests/core/planning/test_removal_dns.py::"
        "test_an_address_that_another_holder_has_too_or_that_others_added_stays_in_a_shared_record",
    ),
    Bug(
        name="connect-tag-of-any-region",
        harm="A deployment tagged `*` is wished for by the endpoints of every region: they turn Blocked.",
        path="shared/core/planning/wishes.py",
        old="asking = (*names_of(desired.endpoint.id), (EVERYTHING, desired.service.elastic_region))",
        new="asking = (*names_of(desired.endpoint.id), *((EVERYTHING, one.region) for one in targets))",
        tests=("tests/core/planning/test_wishes.py",),
        caught_by="tests/core/planning/test_wishes.py::"
        "test_a_deployment_that_asks_for_all_means_those_of_its_region_and_one_that_it_names_is_told",
    ),
    Bug(
        name="peering-taken-for-a-route",
        harm="Endpoints behind a firewall, in a network peered with the app's, raise an alarm and are not Ready.",
        path="shared/core/diagnosis/reading.py",
        old="    if around.in_own_network:\n",
        new="    if around.in_own_network or around.peered:\n",
        tests=("tests/core/diagnosis/test_diagnosis.py",),
        caught_by="tests/core/diagnosis/test_diagnosis.py::test_what_is_known_around_a_failure_decides_what_it_means",
    ),
    Bug(
        name="marker-believed-without-hash",
        harm="A policy's description that a person edits makes the app look at, and remove for, another endpoint.",
        path="shared/core/model/markers.py",
        old='if named and connection_id(named["endpoint"]) == found["connection"] else ""',
        new='if named else ""',
        tests=("tests/core/model/test_markers.py",),
        caught_by="tests/core/model/test_markers.py::"
        "test_an_edited_sentence_of_a_description_does_not_make_us_look_at_another_endpoint",
    ),
    Bug(
        name="deleted-tags-delete-the-endpoint",
        harm="A person removes an endpoint's tags, and the event counts as the deletion of the endpoint itself.",
        path="shared/core/model/messages.py",
        old="WorkMessage(parse_endpoint_id(_named(event, data, _BELOW[about])), Cause.EVENT_WRITE, correlation_id)",
        new="WorkMessage(parse_endpoint_id(_named(event, data, _BELOW[about])), cause, correlation_id)",
        tests=("tests/core/model/test_event_hints.py",),
        caught_by="tests/core/model/test_event_hints.py::test_an_endpoint_whose_tags_are_all_deleted_is_not_deleted_itself",
    ),
)
