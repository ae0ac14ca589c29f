"""The response of a call, and the error of a failed call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from modelarts import errors
from modelarts._wire.http_dates import parse_http_date
from modelarts._wire.json_records import Record
from modelarts._wire.v1 import codes

_COMMON = {"is_success", "error_code", "error_msg"}  # of a refusal; the rest differs


class Response(Record):
    """The response of a call: a dict with attribute access.

    It always has `is_success`; that of a failed call also has `error_code` and `error_msg`, as documented.
    """

    is_success: bool
    error_code: str
    error_msg: str
    sent: tuple[int, Mapping[str, str], str, str]  # HTTP status, reply headers, method and URL
    clock_ahead = 0.0  # of a failed call: seconds that this machine's clock was ahead of the service's at its arrival

    def __missing__(self, name: str) -> Any:
        if name == "error_message" and "error_msg" in self:  # as the REST documents name it (ERRKEY)
            return self["error_msg"]
        raise KeyError(name)

    def raise_on_failure(self) -> Response:
        """Return this response, or raise the `ApiError` of a failed call."""
        if not self.get("is_success", True):
            raise error_of(self)
        return self

    def _repr_html_(self) -> str:
        from modelarts._display.notebook import response_html

        return response_html(self)


def to_response(
    members: dict[str, Any], status: int, headers: Mapping[str, str], method: str, url: str
) -> Response:
    """The response of a reply, with `is_success`, and the members of a failure under one name each."""
    response = Response(members)
    text = response.pop("error_message", None) or response.get("error_msg")
    response["is_success"] = status < 400 and _says_success(response)
    if response["is_success"]:
        response.pop("error_msg", None)
        response.pop("error_code", None)
    else:
        inner = members["error"] if isinstance(members.get("error"), str) else ""
        text = text or _elsewhere(members, "message", "error_msg") or inner
        response["error_msg"] = text or f"HTTP {status} without a reason"
        response["error_code"] = str(response.get("error_code") or _elsewhere(members, "code", "error_code"))
        response.clock_ahead = clock_ahead(headers)
    response.sent = (status, headers, method, url)
    return response


def _says_success(members: Mapping[str, Any]) -> bool:
    """Whether a reply means a success; some services write booleans as text."""
    said = members.get("is_success")
    if said is None:
        return not members.get("error_code") and not members.get("error")
    return said is True or str(said).lower() == "true"


def rows_of(response: Response, name: str) -> list[Record]:
    """The rows of a list in a response; none if it has no list."""
    rows: list[Record] = response.get(name) or []
    return rows


def required(response: Response, name: str) -> Any:
    """A member that a success must have. Raises `BadReply`, or `OutcomeUnknown` after a POST, if it is missing."""
    value = response.get(name)
    if value is None:
        raise bad_member(response, name, None)
    return value


def bad_member(response: Response, name: str, value: Any) -> errors.ModelArtsError:
    """The error for a member that is missing or not as documented."""
    return bad_reply(response, f"with {name}={errors.shortened(value)}, which is not as documented")


def bad_reply(response: Response, how: str) -> errors.ModelArtsError:
    """The error for a reply that is not valid; a POST with such a reply may have been carried out."""
    status, _, method, url = response.sent
    message = f"{method} {url} answered {how}."
    if method == "POST":
        return errors.OutcomeUnknown(message, method, url)
    return errors.BadReply(f"{message} Check the endpoint, and proxies in between.", status, method, url)


def _elsewhere(members: Mapping[str, Any], *names: str) -> str:
    """A part of a failure as IAM and gateways write it: `{"error": {"code": …, "message": …}}`, or without `error`."""
    inner = members.get("error")
    places = [inner, members] if isinstance(inner, Mapping) else [members]
    found = (str(place[name]) for place in places for name in names if place.get(name))
    return next(found, "")


def error_of(response: Response) -> errors.ApiError:
    """The error of a failed call."""
    status, headers, method, url = response.sent
    code = response["error_code"]
    kind, advice = codes.explained(code, status, response.clock_ahead)
    # The API gateway gives its request id in the body.
    request_id = headers.get("X-Request-Id") or str(response.get("request_id") or "")
    error = kind(status, code, str(response["error_msg"]), request_id, method, url, advice)
    error.response = {name: value for name, value in response.items() if name not in _COMMON}
    return error


def waited(response: Response) -> bool:
    """Whether the service delayed this reply as requested by `Prefer: wait`."""
    headers = response.sent[1]
    return "wait" in headers.get("Preference-Applied", "")


def clock_ahead(headers: Mapping[str, str]) -> float:
    """Seconds that this machine's clock is ahead of the service's; 0 if the reply has no date."""
    now = parse_http_date(headers.get("Date", ""))
    return 0.0 if now is None else time.time() - now
