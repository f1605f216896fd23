"""Reasons of Azure's and Elastic's refusals and delays, and those of the whole. Data for `shared.core.reasons`."""

from __future__ import annotations

from shared.core.model.reasons import Hop, Reason
from shared.core.reasons.entry import ReasonDoc

WHOLE = (
    ReasonDoc(Reason.ALL_CONDITIONS_TRUE, "The connection is Ready.", "Everything is set up and tested."),
    ReasonDoc(
        Reason.SET_UP_NOT_TESTED,
        "The connection is Ready, and the app could not test it.",
        "Everything is set up. The app has no way to test it, or could not lately; Reachable says why.",
        "Wait, or see the reason of Reachable.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.OBSERVE_MODE,
        "A step is planned and not carried out.",
        "The mode is observe, or the app is paused.",
        "Change MODE or the endpoint's tag elastic-privatelink, or end the pause.",
    ),
)

DELAYS = (
    ReasonDoc(
        Reason.OPERATION_RUNNING,
        "Something is being made.",
        "A long-running operation in Azure has not ended.",
        "Wait: the app looks again.",
    ),
    ReasonDoc(
        Reason.OPERATION_OVERDUE,
        "Something is being made, for two hours and longer.",
        "An operation in Azure, or what the message names, does not end.",
        "Look at the resource and its activity log in the Azure portal; open a support request if Azure does not end "
        "the operation. The app looks again at each sweep.",
    ),
    ReasonDoc(
        Reason.NOT_VISIBLE_YET,
        "Azure or Elastic does not find what was just made, or is busy with it.",
        "New things show with a delay; two operations on one thing wait for each other.",
        "Wait VISIBILITY_SECONDS.",
    ),
    ReasonDoc(
        Reason.STILL_NOT_VISIBLE,
        "What was made cannot be found for a long time.",
        "Azure's own delay is unusually long, or another manager deletes it again and again.",
        "Look at the resource in the Azure portal; the app goes on trying at each sweep.",
    ),
    ReasonDoc(
        Reason.RESTORE_DELAYED,
        "Something of the app's is deleted again and again, and not made again at once.",
        "The first time it is made again at once, each later time after twice as long, one hour at most.",
        "Find who deletes it: the journal has each time, Azure's activity log or Elastic Cloud's activity the name.",
    ),
    ReasonDoc(
        Reason.RESTORE_CONTESTED,
        "Something of the app's has another value, and is left so.",
        "Another manager (Terraform, a policy, a script) keeps writing it, more often in seven days than "
        "ASSOCIATION_RESTORES lets the app put it right.",
        "Take it out of the other manager's care, or tag the endpoint elastic-privatelink=ignore; then re-run the "
        "connection by POST /api/connections/<id>/reconcile.",
    ),
    ReasonDoc(
        Reason.RESTORED_AGAIN,
        "All is well, and was put right lately.",
        "Others changed or deleted something of the app's.",
        "Find who did: the journal has each time with before and after.",
    ),
    ReasonDoc(
        Reason.CHANGED_MEANWHILE,
        "A change was not written.",
        "Another writer changed the same thing at the same time.",
        "Wait: the app reads it again.",
    ),
    ReasonDoc(
        Reason.AWAITING_EARLIER_REQUEST,
        "An association is made, or taken away, some minutes later.",
        "What an earlier request to Elastic Cloud did shows only after LAG_SECONDS; until then a target could be "
        "opened or closed by mistake. The message says until when.",
        "Wait: the app goes on by itself.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.ANSWER_LOST,
        "Whether a change was made is not known.",
        "The connection to Azure or Elastic Cloud broke, or the service failed, after the request.",
        "Wait: the app looks before it tries again.",
    ),
    ReasonDoc(
        Reason.TEMPORARY_FAILURE,
        "A request failed.",
        "The service could not be reached, or had a fault of its own.",
        "Wait: the app tries again. If it lasts, check the app's way to the service.",
    ),
    ReasonDoc(
        Reason.THROTTLED,
        "Work waits.",
        "Azure or Elastic Cloud asked for fewer requests (429).",
        "Wait. If it happens often, find who else uses up the subscription's budget (500 private DNS reads in 5 min).",
    ),
)

REFUSALS = (
    ReasonDoc(
        Reason.AZURE_RIGHTS_MISSING,
        "A step in Azure is refused.",
        "The app's identity lacks a right; the message names the action and the scope.",
        "Assign the role that has the action at that scope.",
    ),
    ReasonDoc(
        Reason.AZURE_SIGN_IN_FAILED,
        "Nothing in Azure can be read.",
        "The app has no managed identity, or AZURE_CLIENT_ID names another.",
        "Check that the function app has its managed identity and that AZURE_CLIENT_ID names it.",
    ),
    ReasonDoc(
        Reason.AZURE_REFUSED,
        "A step in Azure is refused.",
        "Azure answered with an error that nothing here knows better; the message quotes it.",
        "Correct what the message names; the app tries again at each sweep.",
    ),
    ReasonDoc(
        Reason.REQUEST_DISALLOWED_BY_POLICY,
        "A step in Azure is refused.",
        "An Azure Policy forbids it; the message names it and its assignment.",
        "Exempt the scope, use another resource group for zones, or give RESOURCE_TAGS what the policy asks for.",
    ),
    ReasonDoc(
        Reason.SCOPE_LOCKED,
        "A step in Azure is refused.",
        "A lock forbids it; the message names the scope that it is at.",
        "Remove the lock, or let the zone live in another resource group.",
    ),
    ReasonDoc(
        Reason.DENY_ASSIGNMENT,
        "A step in Azure is refused though the app has the role for it.",
        "A deny assignment (of a deployment stack, a managed application or a blueprint) forbids it to every identity "
        "that it does not exclude.",
        "Ask who manages the deny assignment to exclude the app's identity, or use another resource group for zones.",
    ),
    ReasonDoc(
        Reason.NETWORK_OF_ANOTHER_TENANT,
        "A network is not linked.",
        "It belongs to another tenant (Entra directory) than the zone, and Azure lets one identity link within its own "
        "tenant only.",
        "Remove the network from DNS_LINK_VNETS and give its tenant a zone of its own; no role helps.",
        Hop.NETWORK,
    ),
    ReasonDoc(
        Reason.SUBSCRIPTION_OF_ANOTHER_TENANT,
        "A subscription cannot be read (401, wrong issuer).",
        "It belongs to another tenant (Entra directory) than the app's identity; no role helps. Just after a transfer "
        "it may also be that Azure does not know it everywhere yet.",
        "Remove the subscription from the settings that name it, and deploy an app of its own in that tenant.",
    ),
    ReasonDoc(
        Reason.NETWORK_IDENTITY_IN_USE,
        "A network cannot be linked: its identity is already in use.",
        "The network was moved, or deleted and made again under its name, and a link of the zone is still about it as "
        "it was. A lock on the zone keeps Azure from taking that link away by itself.",
        "Delete the zone's old link to this network, and the lock that keeps it if there is one.",
        Hop.NETWORK,
    ),
    ReasonDoc(
        Reason.RESOURCE_GROUP_BEING_DELETED,
        "A step in Azure is refused.",
        "Its resource group is being deleted. Until that ends nothing can be made or deleted in it.",
        "Wait until the group is gone; then create it again, or correct the setting that names it.",
    ),
    ReasonDoc(
        Reason.MISSING_SUBSCRIPTION_REGISTRATION,
        "A step in Azure is refused.",
        "A resource provider is not registered in the subscription.",
        "Register the provider that the message names.",
    ),
    ReasonDoc(
        Reason.READ_ONLY_DISABLED_SUBSCRIPTION,
        "A step in Azure is refused.",
        "The subscription is disabled.",
        "Enable it again.",
    ),
    ReasonDoc(
        Reason.RESOURCE_GROUP_NOT_FOUND,
        "A step in Azure is refused.",
        "The resource group that a setting names does not exist.",
        "Create it, or correct the setting.",
    ),
    ReasonDoc(
        Reason.SUBSCRIPTION_NOT_FOUND,
        "A subscription cannot be read.",
        "It does not exist, or the app's identity cannot see it.",
        "Correct the setting that names it, or assign a role in it.",
    ),
    ReasonDoc(
        Reason.ELASTIC_KEY_MISSING,
        "Nothing is asked of Elastic Cloud; DNS is set up all the same.",
        "The vault holds no API key yet, a disabled one or none that can be a key, or it does not let the app read it.",
        "Store the key in the vault, or give the app the right that the message names; it goes on within a minute.",
    ),
    ReasonDoc(
        Reason.ELASTIC_KEY_REFUSED,
        "Elastic Cloud refuses everything (401).",
        "The API key has ended (3 months are its default life), was deleted, or another is in the vault or setting.",
        "Create a new Elastic Cloud API key and store it where the message says.",
    ),
    ReasonDoc(
        Reason.ELASTIC_KEY_EXPIRING,
        "The Elastic Cloud API key ends soon.",
        "Keys end, after 3 months by default.",
        "Create a new key in the Elastic Cloud console and store it in the vault, or set EC_API_KEY.",
    ),
    ReasonDoc(
        Reason.ELASTIC_RIGHTS_MISSING,
        "Elastic Cloud refuses a step (403).",
        "The API key lacks a role on the target, or the policy belongs to another organization.",
        "Give the key the role Editor on the targets that are to be connected: deployment-editor on deployments, Admin "
        "or Editor on projects.",
    ),
    ReasonDoc(
        Reason.ELASTIC_REFUSED,
        "Elastic Cloud refuses a step.",
        "It answered with an error that nothing here knows better; the message quotes it.",
        "Correct what the message names.",
    ),
    ReasonDoc(
        Reason.FOREIGN_ANSWER,
        "A request got an answer that is not of the service that was asked.",
        "A firewall, a proxy or a portal stands in between: it redirects (302, 308), asks for a sign-in (407) or turns "
        "the request away (403, 413, 421, 449). Neither key nor role has to do with it.",
        "Let the app's requests pass the firewall, proxy or portal on the way to the service.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.STORAGE_KEYS_NOT_PERMITTED,
        "The app cannot read or write its own tables or queue (KeyBasedAuthenticationNotPermitted).",
        "The app uses a key of the storage account, and the account allows no keys.",
        "Set AzureWebJobsStorage__accountName and AzureWebJobsStorage__credential=managedidentity instead of "
        "AzureWebJobsStorage, and give the app's identity the data roles.",
    ),
    ReasonDoc(
        Reason.STORAGE_CLOSED_TO_NETWORK,
        "The app cannot read or write its own tables or queue (AuthorizationFailure).",
        "The storage account's firewall does not let the app's network in; no role helps.",
        "Allow the app's subnet in the storage account's firewall, or create private endpoints for table, queue and "
        "blob in a network that the app reaches.",
    ),
    ReasonDoc(
        Reason.STORAGE_ANONYMOUS,
        "The app cannot read or write its own tables or queue (PublicAccessNotPermitted).",
        "Its request came without any credential, and the account takes none such.",
        "Set AzureWebJobsStorage__credential=managedidentity, and AzureWebJobsStorage__clientId to the app's identity.",
    ),
    ReasonDoc(
        Reason.STORAGE_ACCOUNT_DISABLED,
        "The app cannot read or write its own tables or queue (AccountIsDisabled).",
        "The storage account is disabled, as when its subscription is.",
        "Enable the storage account's subscription again.",
    ),
    ReasonDoc(
        Reason.EVENTS_LOST,
        "The doctor says that events of a subscription do not reach the app.",
        "Its system topic, the identity that the topic delivers with, or the app's event subscription is gone: another "
        "team's next deployment of its topic takes out what it does not know.",
        "Start what the doctor's finding names: a script, or a command of the topic's owner. Until then the sweep sees "
        "what changes, some minutes later.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.STORAGE_ACCESS_DENIED,
        "The app cannot read or write its own tables or queue.",
        "Its identity lacks a data role on the storage account, or the key is wrong.",
        "Give it the role that the message names.",
    ),
    ReasonDoc(
        Reason.NOT_FOUND,
        "Something that a step needs does not exist.",
        "It was deleted meanwhile; the message names it.",
        "Correct what the message names; the app tries again at each sweep.",
    ),
    ReasonDoc(
        Reason.INVALID_INPUT,
        "A step can never succeed as it is.",
        "An id or an answer has a form that the app does not understand; the message quotes it.",
        "Correct what the message names.",
    ),
)
