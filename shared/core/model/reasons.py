"""The reasons: why a condition, a verdict or a piece of advice is as it is, one word each.

Given by every module that makes one of these; kept in records, shown over HTTP and in the log as its CamelCase word.
What each word means, and what a person does about it, stands once: in `shared.core.reasons`, in these sections.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One word for why something is as it is; people search for it, alerts and queries compare it.

    Code names a member. Only what reads stored rows back calls `Reason(word)`, and there every word is accepted: a
    newer version of the app may have written one that this version does not know, and the record must stay readable.
    Such a word stays as it was written, in a member that has no entry in the catalogue.
    """

    # The whole
    ALL_CONDITIONS_TRUE = "AllConditionsTrue"
    SET_UP_NOT_TESTED = "SetUpNotTested"
    OBSERVE_MODE = "ObserveMode"

    # Endpoint
    ELASTIC_SERVICE = "ElasticService"
    UNKNOWN_ELASTIC_ALIAS = "UnknownElasticAlias"
    NOT_ELASTIC = "NotElastic"
    OUT_OF_SCOPE = "OutOfScope"
    IGNORED_BY_TAG = "IgnoredByTag"
    ENDPOINT_MISSING = "EndpointMissing"
    ENDPOINT_NOT_FOUND = "EndpointNotFound"
    HAS_ADDRESS = "HasAddress"
    NO_ADDRESS_YET = "NoAddressYet"
    ADDRESS_OVERDUE = "AddressOverdue"
    ENDPOINT_FAILED = "EndpointFailed"
    NO_NETWORK_YET = "NoNetworkYet"
    NO_GUID_YET = "NoGuidYet"

    # Approval
    APPROVED = "Approved"
    AWAITING_APPROVAL = "AwaitingApproval"
    APPROVAL_OVERDUE = "ApprovalOverdue"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"

    # Zone, links and record
    EXISTS = "Exists"
    LINKED = "Linked"
    POINTS_TO_ENDPOINT = "PointsToEndpoint"
    ADOPTED = "Adopted"
    MISSING = "Missing"
    DIFFERENT = "Different"
    IN_PROGRESS = "InProgress"
    LINK_OVERDUE = "LinkOverdue"
    NETWORK_LINKED_TO_ANOTHER_ZONE = "NetworkLinkedToAnotherZone"
    RECORD_HELD_BY_OTHERS = "RecordHeldByOthers"
    RECORD_HELD_BY_ANOTHER_ENDPOINT = "RecordHeldByAnotherEndpoint"
    RECORD_FULL = "RecordFull"
    RECORD_SHARED = "RecordShared"
    ANSWERED_BY_ANOTHER_ZONE = "AnsweredByAnotherZone"
    ANSWERING_NETWORK_NOT_LINKED = "AnsweringNetworkNotLinked"
    NO_PLACE_FOR_ZONE = "NoPlaceForZone"
    TOO_MANY_ZONES = "TooManyZones"
    NETWORK_NOT_FOUND = "NetworkNotFound"

    # Policies and claims
    CREATED = "Created"
    CREATION_UNCERTAIN = "CreationUncertain"
    POLICY_RULE_EDITED = "PolicyRuleEdited"
    POLICY_NAME_MISMATCH = "PolicyNameMismatch"
    POLICY_GUID_MISMATCH = "PolicyGuidMismatch"
    POLICY_DUPLICATED = "PolicyDuplicated"
    POLICY_IN_ANOTHER_REGION = "PolicyInAnotherRegion"
    NO_ORGANIZATION = "NoOrganization"
    ORGANIZATION_CHANGED = "OrganizationChanged"
    OTHER_ORGANIZATIONS_KEY = "OtherOrganizationsKey"
    ORGANIZATION_NOT_CONFIGURED = "OrganizationNotConfigured"
    RETAINED_POLICIES_MAX_REACHED = "RetainedPoliciesMaxReached"
    CLAIMED = "Claimed"
    CLAIMS_NOT_OFFERED = "ClaimsNotOffered"
    NOT_OBSERVED = "NotObserved"

    # Deployments
    ASSOCIATED = "Associated"
    NOTHING_REQUESTED = "NothingRequested"
    NO_LONGER_ASKED_FOR = "NoLongerAskedFor"
    WOULD_CUT_OFF_PUBLIC_TRAFFIC = "WouldCutOffPublicTraffic"
    WOULD_REOPEN_PUBLIC_ACCESS = "WouldReopenPublicAccess"
    DEPLOYMENT_NOT_ALLOWED = "DeploymentNotAllowed"
    CONSENT_AMBIGUOUS = "ConsentAmbiguous"
    DEPLOYMENT_OUT_OF_SCOPE = "DeploymentOutOfScope"
    TOO_MANY_TARGETS = "TooManyTargets"
    DEPLOYMENT_OPTED_OUT = "DeploymentOptedOut"
    DEPLOYMENT_NOT_FOUND = "DeploymentNotFound"
    DEPLOYMENT_GONE = "DeploymentGone"
    NO_PROJECT_VISIBLE = "NoProjectVisible"
    DEPLOYMENT_NOT_RUNNING = "DeploymentNotRunning"
    PROJECT_LIST_NOT_GUARDED = "ProjectListNotGuarded"
    DEPLOYMENT_AMBIGUOUS = "DeploymentAmbiguous"
    DEPLOYMENT_IN_ANOTHER_REGION = "DeploymentInAnotherRegion"
    POLICY_ADMITS_OTHERS = "PolicyAdmitsOthers"
    ASSOCIATION_CONTESTED = "AssociationContested"
    CONSOLE_SIGN_IN_AFFECTED = "ConsoleSignInAffected"

    # Removal
    GRACE_PERIOD = "GracePeriod"
    REMOVING = "Removing"
    REMOVED = "Removed"
    LEFT_BEHIND = "LeftBehind"
    NOTHING_MADE = "NothingMade"
    RETAINED = "Retained"
    RECOVERED_UNCONFIRMED = "RecoveredUnconfirmed"
    REMOVAL_UNDECIDED = "RemovalUndecided"
    REMOVAL_LIMIT_REACHED = "RemovalLimitReached"

    # Health check
    REACHABLE = "Reachable"
    PATH_WORKS = "PathWorks"
    NOT_TESTED = "NotTested"

    # Health check: names
    NAME_NOT_FOUND = "NameNotFound"
    RESOLVER_FAILED = "ResolverFailed"
    PUBLIC_ADDRESS = "PublicAddress"
    WRONG_ADDRESS = "WrongAddress"
    CUSTOM_DNS_SERVERS = "CustomDnsServers"

    # Health check: way and TLS
    NO_ROUTE = "NoRoute"
    NO_ROUTE_ALTHOUGH_APPROVED = "NoRouteAlthoughApproved"
    NO_ROUTE_FROM_APP = "NoRouteFromApp"
    REFUSED_ON_THE_WAY = "RefusedOnTheWay"
    CERTIFICATE_MISMATCH = "CertificateMismatch"
    CERTIFICATE_NOT_TRUSTED = "CertificateNotTrusted"
    TLS_FAILED = "TlsFailed"

    # Health check: answers
    NO_ANSWER = "NoAnswer"
    FORBIDDEN_BY_POLICY = "ForbiddenByPolicy"
    NOT_ASSOCIATED = "NotAssociated"
    ONLY_OTHER_POLICIES = "OnlyOtherPolicies"
    UNKNOWN_RESOURCE = "UnknownResource"
    DEPLOYMENT_CHANGING = "DeploymentChanging"
    ALIAS_NOT_SERVED = "AliasNotServed"
    ELASTICSEARCH_ERROR = "ElasticsearchError"
    SERVICE_ERROR = "ServiceError"
    UNEXPECTED_ANSWER = "UnexpectedAnswer"
    PROBE_FAILED = "ProbeFailed"

    # Waiting for Azure and Elastic
    OPERATION_RUNNING = "OperationRunning"
    OPERATION_OVERDUE = "OperationOverdue"
    NOT_VISIBLE_YET = "NotVisibleYet"
    STILL_NOT_VISIBLE = "StillNotVisible"
    RESTORE_DELAYED = "RestoreDelayed"
    RESTORE_CONTESTED = "RestoreContested"
    RESTORED_AGAIN = "RestoredAgain"
    CHANGED_MEANWHILE = "ChangedMeanwhile"
    AWAITING_EARLIER_REQUEST = "AwaitingEarlierRequest"
    ANSWER_LOST = "AnswerLost"
    TEMPORARY_FAILURE = "TemporaryFailure"
    THROTTLED = "Throttled"

    # Refused by Azure and Elastic
    AZURE_RIGHTS_MISSING = "AzureRightsMissing"
    AZURE_SIGN_IN_FAILED = "AzureSignInFailed"
    AZURE_REFUSED = "AzureRefused"
    REQUEST_DISALLOWED_BY_POLICY = "RequestDisallowedByPolicy"
    SCOPE_LOCKED = "ScopeLocked"
    MISSING_SUBSCRIPTION_REGISTRATION = "MissingSubscriptionRegistration"
    READ_ONLY_DISABLED_SUBSCRIPTION = "ReadOnlyDisabledSubscription"
    DENY_ASSIGNMENT = "DenyAssignment"
    NETWORK_OF_ANOTHER_TENANT = "NetworkOfAnotherTenant"
    SUBSCRIPTION_OF_ANOTHER_TENANT = "SubscriptionOfAnotherTenant"
    NETWORK_IDENTITY_IN_USE = "NetworkIdentityInUse"
    RESOURCE_GROUP_BEING_DELETED = "ResourceGroupBeingDeleted"
    RESOURCE_GROUP_NOT_FOUND = "ResourceGroupNotFound"
    SUBSCRIPTION_NOT_FOUND = "SubscriptionNotFound"
    ELASTIC_KEY_MISSING = "ElasticKeyMissing"
    ELASTIC_KEY_REFUSED = "ElasticKeyRefused"
    ELASTIC_KEY_EXPIRING = "ElasticKeyExpiring"
    ELASTIC_RIGHTS_MISSING = "ElasticRightsMissing"
    ELASTIC_REFUSED = "ElasticRefused"
    FOREIGN_ANSWER = "ForeignAnswer"
    STORAGE_KEYS_NOT_PERMITTED = "StorageKeysNotPermitted"
    STORAGE_CLOSED_TO_NETWORK = "StorageClosedToNetwork"
    STORAGE_ANONYMOUS = "StorageAnonymous"
    STORAGE_ACCOUNT_DISABLED = "StorageAccountDisabled"
    EVENTS_LOST = "EventsLost"
    STORAGE_ACCESS_DENIED = "StorageAccessDenied"
    NOT_FOUND = "NotFound"
    INVALID_INPUT = "InvalidInput"

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word


KEY_REASONS = frozenset({Reason.ELASTIC_KEY_MISSING, Reason.ELASTIC_KEY_REFUSED})
"""There is no API key that Elastic Cloud takes: what waits for one is looked at again soon, at no cost."""


class Hop(StrEnum):
    """A part of the path, in the order of the traffic; `APP` is not on it."""

    NETWORK = "network"
    DNS = "dns"
    ENDPOINT = "endpoint"
    APPROVAL = "approval"
    POLICY = "policy"
    TARGET = "target"
    """A deployment or project."""
    APP = "app"
    """The app itself: what it may do, whom it can reach."""
