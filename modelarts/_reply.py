"""What a call answered, and the error that a refusal stands for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timezone
from typing import TYPE_CHECKING, Any

from modelarts import errors
from modelarts._wire import codes
from modelarts._wire.replies import Record

if TYPE_CHECKING:
    import requests

_SECRET_HEADERS = ("X-Auth-Token", "X-Security-Token", "Authorization")
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
    response["is_success"] = status < 400 and _says_success(response)
    if response["is_success"]:
        response.pop("error_msg", None)
        response.pop("error_code", None)
    else:
        response["error_msg"] = text or _elsewhere(members, "message", "error_msg") or f"HTTP {status} without a reason"
        response["error_code"] = str(response.get("error_code") or _elsewhere(members, "code", "error_code"))
        response.clock_ahead = clock_ahead(headers)
    response.sent = (status, headers, method, url)
    return response


def _says_success(members: Mapping[str, Any]) -> bool:
    """Whether an answer means a success; some services write their booleans as text."""
    said = members.get("is_success")
    if said is None:
        return not members.get("error_code") and not members.get("error")
    return said is True or str(said).lower() == "true"


def rows_of(response: Response, name: str) -> list[Record]:
    """The rows of a list in an answer; none where it is left out. Raises `BadReply` for what is no list of objects."""
    rows = response.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_member(response, name, rows)
    return rows


def bad_member(response: Response, name: str, value: Any) -> errors.BadReply:
    """The error of a member that is missing or not as documented."""
    status, _, method, url = response.sent
    told = f"{method} {url} answered with {name}={errors.shortened(value)}, which is not as documented"
    return errors.BadReply(f"{told}. Check the endpoint, and proxies on the way.", status, method, url)


def redacted(reply: requests.Response, *secrets: str) -> bytes:
    """What was answered, without secrets that were sent: some services and proxies quote what they were asked.

    Args:
        secrets: those of the body; the secret headers of the request are known.
    """
    content, sent = reply.content, reply.request.headers
    for secret in filter(None, (*secrets, *map(sent.get, _SECRET_HEADERS))):
        for spelled in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            content = content.replace(spelled.encode(), b"****")
    return content


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
