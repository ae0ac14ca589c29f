"""What a call answered, and the error that a refusal stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts import errors
from modelarts._wire.replies import Record


class Response(Record):
    """What a call answered: a dict with attribute access.

    `is_success` is always there; after a refusal so are `error_code` and `error_msg`, as documented.
    """

    sent: tuple[int, Mapping[str, str], str, str]  # HTTP status, reply headers, method and URL

    def raise_on_failure(self) -> Response:
        """Return this response, or raise the `ApiError` of a refusal."""
        if not self.get("is_success", True):
            raise error_of(self)
        return self

    def _repr_html_(self) -> str:
        from modelarts._display.notebook import response_html

        return response_html(self)


def answered(
    members: dict[str, Any], status: int, headers: Mapping[str, str], method: str, url: str
) -> Response:
    """The response of a reply: whether it is a success, and a refusal's members under one name each."""
    response = Response(members)
    text = response.pop("error_message", None) or response.get("error_msg")
    response.setdefault("is_success", not response.get("error_code"))
    if status >= 400:
        response["is_success"] = False
    if response["is_success"]:
        response.pop("error_msg", None)
        response.pop("error_code", None)
    else:
        response["error_msg"] = text or f"HTTP {status} without a reason"
        response["error_code"] = response.get("error_code") or ""
    response.sent = (status, headers, method, url)
    return response


def error_of(response: Response) -> errors.ApiError:
    """The error that a refusal stands for."""
    status, headers, method, url = response.sent
    code = response["error_code"]
    kind = errors.ApiError
    if code == "ModelArts.0103":
        kind = errors.NameTaken
    elif status in (401, 403):
        kind = errors.AuthError
    elif status == 404 or code == "ModelArts.0015":
        kind = errors.NotFound
    elif status == 429:
        kind = errors.Throttled
    request_id = headers.get("X-Request-Id", "")
    return kind(status, code, response["error_msg"], request_id, method, url)


def waited(response: Response) -> bool:
    """Whether the service held this answer back as a `Prefer: wait` asked it to."""
    headers = response.sent[1]
    return "wait" in headers.get("Preference-Applied", "")
