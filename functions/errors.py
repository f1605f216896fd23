"""The error codes of the HTTP API, each with its status, and the class of error that each stands for.

Public names: scripts compare them, so a class may be renamed and its code stays. Used by `responses`, which answers
with them, and by `openapi`, which lists them. An error that a person must act on has the reason of its condition as its
code, with 409, or with 502 where a cloud refuses the app: docs/troubleshooting.md explains each of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from shared.api.damaged_rows import RowNotFound
from shared.api.operations import OperationNotFound
from shared.api.queries import ConnectionNotFound, EndpointNotFound, EndpointOutOfScope, InvalidConnectionId
from shared.api.recovered import RecoveredListNotFound
from shared.api.removals import StopNotFound
from shared.core.guards.pause import InvalidPause
from shared.core.model import errors
from shared.core.model.record_document import NewerRecord, UnreadableRecord
from shared.installation.unknown_endpoints import TooManyUnknownEndpoints
from shared.installation.watched import WatchedUnknown
from shared.state.control import DamagedRow, NewerRow
from shared.state.read_budget import NoReadsLeft

BLOCKED_STATUS, REFUSED_STATUS = HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY
"""Of what a person must act on first, and of a cloud that refuses the app: a right or a key is missing."""


class BodyTooLarge(errors.InvalidInput):
    """The request's body is longer than any that is understood."""


class DecisionNotPermitted(errors.Permanent):
    """The caller may read, and asks for a change."""


class FileNotServed(errors.NotFound):
    """The dashboard has no file of this name."""


class ErrorCode(StrEnum):
    """A code and the status that it comes with."""

    status: HTTPStatus

    def __new__(cls, code: str, status: HTTPStatus) -> Self:
        """A member is its code; its status stands beside it, as in `HTTPStatus` the phrase."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.status = status
        return member

    INVALID_INPUT = "InvalidInput", HTTPStatus.BAD_REQUEST
    INVALID_CONNECTION_ID = "InvalidConnectionId", HTTPStatus.BAD_REQUEST
    INVALID_PAUSE = "InvalidPause", HTTPStatus.BAD_REQUEST
    ENDPOINT_OUT_OF_SCOPE = "EndpointOutOfScope", HTTPStatus.BAD_REQUEST
    BODY_TOO_LARGE = "BodyTooLarge", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    DECISION_NOT_PERMITTED = "DecisionNotPermitted", HTTPStatus.FORBIDDEN
    NOT_FOUND = "NotFound", HTTPStatus.NOT_FOUND
    ENDPOINT_NOT_FOUND = "EndpointNotFound", HTTPStatus.NOT_FOUND
    TOO_MANY_UNKNOWN_ENDPOINTS = "TooManyUnknownEndpoints", HTTPStatus.TOO_MANY_REQUESTS
    CONNECTION_NOT_FOUND = "ConnectionNotFound", HTTPStatus.NOT_FOUND
    ROW_NOT_FOUND = "RowNotFound", HTTPStatus.NOT_FOUND
    STOP_NOT_FOUND = "StopNotFound", HTTPStatus.NOT_FOUND
    RECOVERED_LIST_NOT_FOUND = "RecoveredListNotFound", HTTPStatus.NOT_FOUND
    OPERATION_NOT_FOUND = "OperationNotFound", HTTPStatus.NOT_FOUND
    FILE_NOT_SERVED = "FileNotServed", HTTPStatus.NOT_FOUND
    INVALID_SETTINGS = "InvalidSettings", HTTPStatus.SERVICE_UNAVAILABLE
    RETRY_LATER = "RetryLater", HTTPStatus.SERVICE_UNAVAILABLE
    THROTTLED = "Throttled", HTTPStatus.SERVICE_UNAVAILABLE
    NO_READS_LEFT = "NoReadsLeft", HTTPStatus.SERVICE_UNAVAILABLE
    NOT_VISIBLE_YET = "NotVisibleYet", HTTPStatus.SERVICE_UNAVAILABLE
    LOST_RACE = "LostRace", HTTPStatus.SERVICE_UNAVAILABLE
    LEASE_LOST = "LeaseLost", HTTPStatus.SERVICE_UNAVAILABLE
    UNUSABLE_ANSWER = "UnusableAnswer", HTTPStatus.SERVICE_UNAVAILABLE
    TARGET_UNSEEN = "TargetUnseen", HTTPStatus.SERVICE_UNAVAILABLE
    ANSWER_LOST = "AnswerLost", HTTPStatus.SERVICE_UNAVAILABLE
    CHANGE_UNSEEN = "ChangeUnseen", HTTPStatus.SERVICE_UNAVAILABLE
    AWAITING_EARLIER_REQUEST = "AwaitingEarlierRequest", HTTPStatus.SERVICE_UNAVAILABLE
    NEWER_RECORD = "NewerRecord", HTTPStatus.SERVICE_UNAVAILABLE
    NEWER_ROW = "NewerRow", HTTPStatus.SERVICE_UNAVAILABLE
    WATCHED_UNKNOWN = "WatchedUnknown", HTTPStatus.SERVICE_UNAVAILABLE
    UNREADABLE_RECORD = "UnreadableRecord", HTTPStatus.INTERNAL_SERVER_ERROR
    DAMAGED_ROW = "DamagedRow", HTTPStatus.INTERNAL_SERVER_ERROR
    WAITING = "Waiting", HTTPStatus.INTERNAL_SERVER_ERROR
    PERMANENT = "Permanent", HTTPStatus.INTERNAL_SERVER_ERROR
    AUTOPILOT_ERROR = "AutopilotError", HTTPStatus.INTERNAL_SERVER_ERROR
    INTERNAL_ERROR = "InternalError", HTTPStatus.INTERNAL_SERVER_ERROR
    """A bug: no error of the product."""


CODES: Mapping[type[errors.AutopilotError], ErrorCode] = {
    errors.InvalidInput: ErrorCode.INVALID_INPUT,
    InvalidConnectionId: ErrorCode.INVALID_CONNECTION_ID,
    InvalidPause: ErrorCode.INVALID_PAUSE,
    EndpointOutOfScope: ErrorCode.ENDPOINT_OUT_OF_SCOPE,
    BodyTooLarge: ErrorCode.BODY_TOO_LARGE,
    DecisionNotPermitted: ErrorCode.DECISION_NOT_PERMITTED,
    errors.NotFound: ErrorCode.NOT_FOUND,
    EndpointNotFound: ErrorCode.ENDPOINT_NOT_FOUND,
    TooManyUnknownEndpoints: ErrorCode.TOO_MANY_UNKNOWN_ENDPOINTS,
    ConnectionNotFound: ErrorCode.CONNECTION_NOT_FOUND,
    RowNotFound: ErrorCode.ROW_NOT_FOUND,
    StopNotFound: ErrorCode.STOP_NOT_FOUND,
    RecoveredListNotFound: ErrorCode.RECOVERED_LIST_NOT_FOUND,
    OperationNotFound: ErrorCode.OPERATION_NOT_FOUND,
    FileNotServed: ErrorCode.FILE_NOT_SERVED,
    errors.InvalidSettings: ErrorCode.INVALID_SETTINGS,
    errors.RetryLater: ErrorCode.RETRY_LATER,
    errors.Throttled: ErrorCode.THROTTLED,
    NoReadsLeft: ErrorCode.NO_READS_LEFT,
    errors.NotVisibleYet: ErrorCode.NOT_VISIBLE_YET,
    errors.LostRace: ErrorCode.LOST_RACE,
    errors.LeaseLost: ErrorCode.LEASE_LOST,
    errors.UnusableAnswer: ErrorCode.UNUSABLE_ANSWER,
    errors.TargetUnseen: ErrorCode.TARGET_UNSEEN,
    errors.AnswerLost: ErrorCode.ANSWER_LOST,
    errors.ChangeUnseen: ErrorCode.CHANGE_UNSEEN,
    errors.AwaitingEarlierRequest: ErrorCode.AWAITING_EARLIER_REQUEST,
    NewerRecord: ErrorCode.NEWER_RECORD,
    NewerRow: ErrorCode.NEWER_ROW,
    WatchedUnknown: ErrorCode.WATCHED_UNKNOWN,
    UnreadableRecord: ErrorCode.UNREADABLE_RECORD,
    DamagedRow: ErrorCode.DAMAGED_ROW,
    errors.Waiting: ErrorCode.WAITING,
    errors.Permanent: ErrorCode.PERMANENT,
    errors.AutopilotError: ErrorCode.AUTOPILOT_ERROR,
}


def code_of(error: errors.AutopilotError) -> tuple[str, HTTPStatus]:
    """The code and the status that an error is answered with; a class without a code has its parent's."""
    if isinstance(error, errors.Blocked):
        return str(error.reason), REFUSED_STATUS if isinstance(error, errors.Forbidden) else BLOCKED_STATUS
    code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    return str(code), code.status
