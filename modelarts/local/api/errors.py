"""Refusals in the documented shape: a code, a sentence, an HTTP status."""

from __future__ import annotations

NAME_TAKEN = "ModelArts.0103"
BAD_VALUE = "ModelArts.0104"
WRONG_STATE = "ModelArts.0105"
NOT_FOUND = "ModelArts.0015"


class ApiFailure(Exception):
    """A call that is not carried out."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def bad_value(message: str) -> ApiFailure:
    return ApiFailure(BAD_VALUE, message)


def name_taken(kind: str, name: str) -> ApiFailure:
    return ApiFailure(NAME_TAKEN, f"{kind} name:{name} is existed", 409)


def missing(what: str) -> ApiFailure:
    """Something that the path names is not there; the documents' samples answer 0105."""
    return ApiFailure(WRONG_STATE, f"{what} does not exist", 404)


def unavailable(message: str) -> ApiFailure:
    """Something documented that this service cannot do, or not as it is installed."""
    return ApiFailure(WRONG_STATE, message, 501)


def wrong_state(message: str) -> ApiFailure:
    return ApiFailure(WRONG_STATE, message, 409)
