"""What a call answered, and the error that a refusal stands for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timezone
from typing import Any

from modelarts import errors
from modelarts._wire import codes
from modelarts._wire.replies import Record

_COMMON = {"is_success", "error_code", "error_msg"}  # of a refusal; the rest differs


class Response(Record):
    """What a call answered: a dict with attribute access.

    `is_success` is always there; after a refusal so are `error_code` and `error_msg`, as documented.
    """

    sent: tuple[int, Mapping[str, str], str, str]  # HTTP status, reply headers, method and URL
    clock_ahead = 0.0  # of a refusal: seconds that this machine's clock was ahead of the service's when it came

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
        response["error_msg"] = text or _elsewhere(members, "message", "error_msg") or f"HTTP {status} without a reason"
        response["error_code"] = str(response.get("error_code") or _elsewhere(members, "code", "error_code"))
        response.clock_ahead = clock_ahead(headers)
    response.sent = (status, headers, method, url)
    return response


def _elsewhere(members: Mapping[str, Any], *names: str) -> str:
    """A part of a refusal as IAM and gateways write it: `{"error": {"code": …, "message": …}}`, or without `error`."""
    inner = members.get("error")
    places = [inner, members] if isinstance(inner, Mapping) else [members]
    found = (str(place[name]) for place in places for name in names if place.get(name))
    return next(found, "")


def error_of(response: Response) -> errors.ApiError:
    """The error that a refusal stands for."""
    status, headers, method, url = response.sent
    code = response["error_code"]
    kind, advice = codes.explained(code, status, response.clock_ahead)
    # The API gateway gives its request id in the body.
    request_id = headers.get("X-Request-Id") or str(response.get("request_id") or "")
    error = kind(status, code, str(response["error_msg"]), request_id, method, url, advice)
    error.response = {name: value for name, value in response.items() if name not in _COMMON}
    return error


def waited(response: Response) -> bool:
    """Whether the service held this answer back as a `Prefer: wait` asked it to."""
    headers = response.sent[1]
    return "wait" in headers.get("Preference-Applied", "")


def clock_ahead(headers: Mapping[str, str]) -> float:
    """Seconds that this machine's clock is ahead of the service's now, as far as the reply tells."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError, IndexError, OverflowError):  # by version of Python
        return 0.0
    return time.time() - (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
