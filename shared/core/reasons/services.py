"""Reasons of Azure's and Elastic's refusals and delays, and those of the whole. Data for `shared.core.reasons`."""

from __future__ import annotations

from shared.core.reasons.entry import Hop, Reason

WHOLE = (
    Reason("AllConditionsTrue", "The connection is Ready.", "Everything is set up and tested."),
    Reason(
        "SetUpNotTested",
        "The connection is Ready, and the app could not test it.",
        "Everything is set up. The app has no way to test it, or could not lately; Reachable says why.",
        "None, or see the reason of Reachable.",
        Hop.APP,
    ),
    Reason(
        "ObserveMode",
        "A step is planned and not carried out.",
        "The mode is observe, or the app is paused.",
        "Change MODE or the endpoint's tag elastic-privatelink, or end the pause.",
    ),
)

DELAYS = (
    Reason(
        "OperationRunning",
        "Something is being made.",
        "A long-running operation in Azure has not ended.",
        "None: the app looks again.",
    ),
    Reason(
        "NotVisibleYet",
        "Azure or Elastic does not find what was just made, or is busy with it.",
        "New things show with a delay; two operations on one thing wait for each other.",
        "None for VISIBILITY_SECONDS.",
    ),
    Reason(
        "StillNotVisible",
        "What was made cannot be found for a long time.",
        "Azure's own delay is unusually long, or somebody deletes it again and again.",
        "Look at the resource in the Azure portal; the app goes on trying at each sweep.",
    ),
    Reason(
        "ChangedMeanwhile",
        "A change was not written.",
        "Somebody else changed the same thing at the same time.",
        "None: the app reads it again.",
    ),
    Reason(
        "AnswerLost",
        "Whether a change was made is not known.",
        "The connection to Azure or Elastic Cloud broke, or the service failed, after the request.",
        "None: the app looks before it tries again.",
    ),
    Reason(
        "TemporaryFailure",
        "A request failed.",
        "The service could not be reached, or had a fault of its own.",
        "None: the app tries again. If it lasts, check the app's way to the service.",
    ),
    Reason(
        "Throttled",
        "Work waits.",
        "Azure or Elastic Cloud asked for fewer requests (429).",
        "None. If it happens often, find who else uses up the subscription's budget (500 private DNS reads in 5 min).",
    ),
)

REFUSALS = (
    Reason(
        "AzureRightsMissing",
        "A step in Azure is refused.",
        "The app's identity lacks a right; the message names the action and the scope.",
        "Assign the role that has the action at that scope.",
    ),
    Reason(
        "AzureSignInFailed",
        "Nothing in Azure can be read.",
        "The app has no managed identity, or AZURE_CLIENT_ID names another.",
        "Check the function app's identity and AZURE_CLIENT_ID.",
    ),
    Reason(
        "AzureRefused",
        "A step in Azure is refused.",
        "Azure answered with an error that nothing here knows better; the message quotes it.",
        "Correct what the message names; the app tries again at each sweep.",
    ),
    Reason(
        "RequestDisallowedByPolicy",
        "A step in Azure is refused.",
        "An Azure Policy forbids it.",
        "Exempt the scope, or use another resource group for zones.",
    ),
    Reason(
        "ScopeLocked",
        "A step in Azure is refused.",
        "A lock on the resource group or resource forbids it.",
        "Remove the lock, or let the zone live in another resource group.",
    ),
    Reason(
        "MissingSubscriptionRegistration",
        "A step in Azure is refused.",
        "A resource provider is not registered in the subscription.",
        "Register the provider that the message names.",
    ),
    Reason(
        "ReadOnlyDisabledSubscription",
        "A step in Azure is refused.",
        "The subscription is disabled.",
        "Enable it again.",
    ),
    Reason(
        "ResourceGroupNotFound",
        "A step in Azure is refused.",
        "The resource group that a setting names does not exist.",
        "Create it, or correct the setting.",
    ),
    Reason(
        "SubscriptionNotFound",
        "A subscription cannot be read.",
        "It does not exist, or the app's identity cannot see it.",
        "Correct the setting that names it, or assign a role in it.",
    ),
    Reason(
        "ElasticKeyRefused",
        "Elastic Cloud refuses everything (401).",
        "The API key has ended (3 months are its default life), was deleted, or is not the one in the setting.",
        "Create a new Elastic Cloud API key and set ELASTIC_API_KEY.",
    ),
    Reason(
        "ElasticKeyExpiring",
        "The Elastic Cloud API key ends soon.",
        "Keys end, after 3 months by default.",
        "Create a new key and set ELASTIC_API_KEY.",
    ),
    Reason(
        "ElasticRightsMissing",
        "Elastic Cloud refuses a step (403).",
        "The API key lacks a role on the deployment, or the policy belongs to somebody else.",
        "Give the key the role Editor (deployment-editor) on the deployments that are to be connected.",
    ),
    Reason(
        "ElasticRefused",
        "Elastic Cloud refuses a step.",
        "It answered with an error that nothing here knows better; the message quotes it.",
        "Correct what the message names.",
    ),
    Reason(
        "StorageAccessDenied",
        "The app cannot read or write its own tables or queue.",
        "Its identity lacks a data role on the storage account, or the key is wrong.",
        "Give it the role that the message names.",
    ),
    Reason(
        "NotFound",
        "Something that a step needs does not exist.",
        "Somebody deleted it meanwhile; the message names it.",
        "Correct what the message names; the app tries again at each sweep.",
    ),
    Reason(
        "InvalidInput",
        "A step can never succeed as it is.",
        "An id or an answer has a form that the app does not understand; the message quotes it.",
        "Correct what the message names.",
    ),
)
