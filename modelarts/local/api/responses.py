"""The responses of the API: JSON, and failures in the documented shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs

from modelarts.local.api.errors import ApiFailure

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@attrs.frozen
class Response:
    """An HTTP response with a JSON object as its body."""

    members: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def send(self, start_response: Any, with_body: bool = True) -> list[bytes]:
        """The body for the WSGI server, after the status and the headers were given to it."""
        content = _encode(self.members).encode(errors="backslashreplace")  # half a character becomes its JSON escape
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **self.headers}
        start_response(_REASONS[self.status], list(headers.items()))
        return [content] if with_body else []


def failure(error: ApiFailure) -> Response:
    """The documented response to a request that is not carried out."""
    text = error.message
    members = {"is_success": False, "error_code": error.code, "error_message": text, "error_msg": text}
    return Response(members, error.status, error.headers)
