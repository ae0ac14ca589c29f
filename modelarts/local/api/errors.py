"""Failures of the API, with their documented codes."""

from __future__ import annotations

from collections.abc import Mapping

NAME_TAKEN = "ModelArts.0103"
BAD_VALUE = "ModelArts.0104"
TOO_LONG = "ModelArts.2607"
WRONG_STATE = "ModelArts.0105"
NOT_FOUND = "ModelArts.0015"


class ApiFailure(Exception):
    """A request that is not carried out: a documented code, a sentence, the HTTP status, and headers."""

    def __init__(self, code: str, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}


def bad_value(message: str) -> ApiFailure:
    return ApiFailure(BAD_VALUE, message)


def name_taken(kind: str, name: str) -> ApiFailure:
    return ApiFailure(NAME_TAKEN, f"{kind} name:{name} is existed", 409)


def not_found(what: str) -> ApiFailure:
    """Something that the path names does not exist; the documents' samples respond with 0105."""
    return ApiFailure(WRONG_STATE, f"{what} does not exist", 404)


def unavailable(message: str) -> ApiFailure:
    """Something documented that this service does not support, or not as it is installed."""
    return ApiFailure(WRONG_STATE, message, 501)


def wrong_state(message: str) -> ApiFailure:
    return ApiFailure(WRONG_STATE, message, 409)
