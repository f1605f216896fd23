"""Reasons of policies, claims and targets in Elastic Cloud, and of removals. Data for `shared.core.reasons`."""

from __future__ import annotations

from shared.core.model.reasons import Hop, Reason
from shared.core.reasons.entry import ReasonDoc

POLICIES = (
    ReasonDoc(Reason.CREATED, "The policy was just created.", "The app made it; Elastic shows it a little later."),
    ReasonDoc(
        Reason.CREATION_UNCERTAIN,
        "Whether the policy exists is not known.",
        "A create was begun and its answer was lost.",
        "Wait: the app looks for it for POLICY_SEARCH_SECONDS before it makes one.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.POLICY_NAME_MISMATCH,
        "The endpoint stays Pending though a policy has its GUID.",
        "The policy, made by others, has another endpoint name; Elastic wants both exactly.",
        "Correct the endpoint name in the policy.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.POLICY_RULE_EDITED,
        "The policy lacks the endpoint, and the app does not put that right by itself.",
        "A person changed the rule that the app made, and which rule that was is not certain: there are several of the "
        "endpoint's name, rules were added or taken away too, or the GUID is that of another endpoint.",
        "Correct the rule that the message names, or take it out of the policy.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.POLICY_GUID_MISMATCH,
        "The endpoint is Pending though a policy has its name.",
        "The policy has another GUID: that of an endpoint that is gone, or a typing error.",
        "Correct the policy, or delete it. The GUID is properties.resourceGuid of the endpoint, not its resource id.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.POLICY_DUPLICATED,
        "More policies than one admit the endpoint.",
        "A person made one by hand, or a create whose answer was lost was repeated elsewhere.",
        "Delete those that are not needed, after a look at what they are associated with.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.POLICY_IN_ANOTHER_REGION,
        "A policy with the endpoint's GUID does nothing.",
        "It is in another region than the service that the endpoint leads to.",
        "Delete it; the one in the right region is made by the app.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.NO_ORGANIZATION,
        "The endpoint has no policy.",
        "It belongs to no Elastic Cloud organization: no scope of one includes it, and there is no EC_API_KEY.",
        "Add an entry for it to an organization's scope, tag it as one asks for, or set EC_API_KEY.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.ORGANIZATION_CHANGED,
        "The endpoint is served by another organization than the one that it belongs to now.",
        "A setting or a tag put it into another organization. That may be a slip, and a move cuts the targets of "
        "the former one off: so only a person decides it.",
        "Put the tag or the setting back; or send the decision move-organization on the connection.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.OTHER_ORGANIZATIONS_KEY,
        "The policy and all that it is associated with are out of sight, or every policy of the installation is; "
        "nothing is made in their place.",
        "The API key was exchanged for another organization's, or has lost its rights.",
        "Give the app the API key of the organization that has them; or, if they are gone for certain, send the "
        "decision forget-target on the connection, or re-run it where it is associated with nothing.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.ORGANIZATION_NOT_CONFIGURED,
        "What stands in an Elastic Cloud organization cannot be looked at, nor removed.",
        "The settings have no key of that organization any more.",
        "Name it in ELASTIC_ORGANIZATIONS again, with its key and its scope, until nothing is left in it.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.RETAINED_POLICIES_MAX_REACHED,
        "The policy is not made.",
        "Endpoints of the subscription that are gone or left alone have left as many policies as RETAINED_POLICIES_MAX "
        "allows; an organization holds 1,024, for all subscriptions together.",
        "Delete those that are not needed in Elastic Cloud, or raise RETAINED_POLICIES_MAX.",
        Hop.POLICY,
    ),
    ReasonDoc(Reason.CLAIMED, "No other organization can use the endpoint.", "It is claimed."),
    ReasonDoc(
        Reason.CLAIMS_NOT_OFFERED,
        "A claim is asked for, and none is made; all else goes on.",
        "Elastic offers claims for endpoints of hosted deployments, and none for those of Serverless projects.",
    ),
    ReasonDoc(
        Reason.NOT_OBSERVED,
        "A condition is Unknown.",
        "Elastic Cloud could not be asked yet, or its turn has not come.",
        "Wait: the app asks at the next run.",
    ),
)

TARGETS = (
    ReasonDoc(
        Reason.ASSOCIATED,
        "The policy is associated with every target, deployment or Serverless project, that is asked for.",
        "All is as it should be.",
    ),
    ReasonDoc(
        Reason.NOTHING_REQUESTED,
        "The policy is associated with no target.",
        "Neither the endpoint's tag elastic-deployments nor a target's tag asks for one.",
        "Wait, or set the tag to connect a target.",
    ),
    ReasonDoc(
        Reason.NO_LONGER_ASKED_FOR,
        "An association is to be taken away.",
        "No tag or setting asks for it any more, and the app made it.",
        "Wait: the app removes it, unless it is the target's last policy.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC,
        "The policy is not associated with a target.",
        "It would be its first one, and closes the target to everything that no policy admits.",
        "Associate an IP policy first, or allow it by ELASTIC_FIRST_POLICY_ALLOWED or the target's tag "
        "elastic-privatelink-first-policy=allow.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.WOULD_REOPEN_PUBLIC_ACCESS,
        "The policy stays associated though no tag or setting asks for it.",
        "It is the target's last one; without any the target is open to the internet.",
        "Associate another policy, or allow it by ELASTIC_LAST_POLICY_ALLOWED or the target's tag "
        "elastic-privatelink-last-policy=allow.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_NOT_ALLOWED,
        "A target is not connected.",
        "Neither the settings nor the target's own tag consent.",
        "Add it to ELASTIC_DEPLOYMENTS_ALLOWED, or add the connection id to its tag elastic-privatelink-endpoints.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.CONSENT_AMBIGUOUS,
        "A target is not connected, or what stands is left as it is.",
        "Its tag names the endpoint by resource group and name, and several endpoints have both, in different "
        "subscriptions: which of them is meant is not known.",
        "Put the connection id of the endpoint that is meant into the target's tag, in place of group and name.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_OUT_OF_SCOPE,
        "A target is left alone.",
        "ELASTIC_DEPLOYMENTS_DENIED keeps the app away from it.",
        "Change the setting, or take the target out of the endpoint's tag.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.TOO_MANY_TARGETS,
        "No target is connected, and for a new endpoint nothing is made in either cloud; what stands stays.",
        "More deployments or projects ask for the endpoint, or have its policy, than TARGETS_MAX allows: a "
        "connection's record has a size.",
        "Take the tag elastic-privatelink-connect off targets that need another endpoint, or raise TARGETS_MAX.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_OPTED_OUT,
        "A target is left alone.",
        "Its own tag elastic-privatelink has the value ignore.",
        "Take that tag off, or the target out of the endpoint's tag.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_NOT_FOUND,
        "A target is not connected.",
        "None of this id or exact name is visible to the API key: it is gone, renamed, or of another organization.",
        "Correct the endpoint's tag, or give the API key a role on the target.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_GONE,
        "The association with a target stays, though the target is not there; all else goes on.",
        "Elastic Cloud knows no such target, and the policy lists it still. It is gone, or the API key has lost "
        "its role on it: the app cannot tell which.",
        "Send the decision forget-target on the connection if it is gone; else give the API key its role back.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_NOT_RUNNING,
        "A target is not connected.",
        "It is stopped or being deleted.",
        "Start it, or take it out of the tag.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.NO_PROJECT_VISIBLE,
        "No Serverless project is connected, though some are asked for.",
        "Elastic Cloud shows the API key no project at all: there is none, or the key has no role on any; both look "
        "the same.",
        "Create the project, or give the API key the role Admin or Editor on those that are to be connected.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.PROJECT_LIST_NOT_GUARDED,
        "A Serverless project is not connected.",
        "Elastic Cloud did not honour If-Match, so a write could take away what others add at the same moment.",
        "Add the policy to the project in the Elastic Cloud console, and report this with the answer in the log.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_AMBIGUOUS,
        "A target is not connected.",
        "Several have the name that the tag gives.",
        "Use the target's id in the tag.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_IN_ANOTHER_REGION,
        "A target is not connected.",
        "It is in another region than the service that the endpoint leads to.",
        "Create an endpoint with the alias of the target's region, or take the target out of the tag.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.POLICY_ADMITS_OTHERS,
        "The policy is not associated.",
        "It lets in further endpoints or addresses, to which the target did not consent.",
        "Take the other rules out, or delete the policy so that the app makes one for this endpoint alone.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.ASSOCIATION_CONTESTED,
        "The association keeps disappearing and is now left alone.",
        "Another manager removes it each time, as Terraform's ec_deployment.traffic_filter does, or traffic_filter_ids "
        "of a project.",
        "Add the policy to the other manager's list, or tag the target elastic-privatelink=ignore; then re-run.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.CONSOLE_SIGN_IN_AFFECTED,
        "Opening Kibana out of the Elastic Cloud console fails with Invalid SAML request.",
        "Private connection policies are associated with the deployment, and no IP policy that admits its users. "
        "To a Serverless project the sign-in works all the same.",
        "Associate an IP policy for the people who use the console's sign-in; Kibana's private URL works without.",
        Hop.TARGET,
    ),
)

REMOVAL = (
    ReasonDoc(
        Reason.GRACE_PERIOD,
        "The endpoint is gone and what was made for it still stands.",
        "It is kept for a while, in case the endpoint is made again.",
        "Wait, or create the endpoint again under the same name to keep everything.",
    ),
    ReasonDoc(
        Reason.REMOVING,
        "What was made for the endpoint is being taken away.",
        "A service did not answer, or is busy; the removal goes on.",
        "Wait: the app goes on by itself.",
    ),
    ReasonDoc(Reason.REMOVED, "What was made for the endpoint is gone.", "The removal has ended."),
    ReasonDoc(
        Reason.LEFT_BEHIND,
        "The connection is Removed, and something of it is still there.",
        "Others use it, it is not the app's, the app may not delete it, or Azure stayed busy with it: "
        "the message names each.",
        "Delete by hand what is not needed. The app tries again to remove what is its own, in the end once a day.",
    ),
    ReasonDoc(Reason.NOTHING_MADE, "The endpoint is gone.", "Nothing was made for it."),
    ReasonDoc(
        Reason.RETAINED, "What was made for the endpoint is left.", "The settings or its tag say so, or it is ignored."
    ),
    ReasonDoc(
        Reason.RECOVERED_UNCONFIRMED,
        "The removal has taken away everything else; what the message names is still there.",
        "It carries the app's tags, or its policy does, and the app's tables do not know it: they were lost, or a "
        "person copied the tags. Who may write tags need not be allowed to delete, so their word is not enough.",
        "Look at GET /api/recovered and confirm the list, once for all that is on it, by POST /api/decisions "
        '{"decision": "confirm-recovered", "list": "<its id>"}; or remove the tags from what is not the app\'s.',
        Hop.APP,
    ),
    ReasonDoc(
        Reason.REMOVAL_UNDECIDED,
        "The endpoint is gone, and what was made for it stays.",
        "Its tag elastic-privatelink asked the app to change nothing, and went with the endpoint.",
        "Send the decision remove on the connection to have it taken away, or hand-over to have it left to you.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.REMOVAL_LIMIT_REACHED,
        "The removal has stopped.",
        "More was to be taken away at once than REMOVAL_LIMIT allows: many endpoints vanished together.",
        "Look whether they are really gone, then confirm the removal.",
    ),
)
