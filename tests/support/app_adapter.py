"""A transport for `requests` that calls a WSGI application in the same thread: no socket, no process."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse


class AppAdapter(HTTPAdapter):
    """Sends requests to the application, and adds each response, which has its request, to a list."""

    def __init__(self, application: Callable[..., Any], exchanges: list[requests.Response]) -> None:
        super().__init__()
        self._application = application
        self._exchanges = exchanges

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        status: list[Any] = []
        chunks = self._application(_environ(request), lambda *answered: status.extend(answered[:2]))
        content = b"".join(chunks)
        if request.method == "HEAD":
            content = b""
        code, _, reason = status[0].partition(" ")
        raw = HTTPResponse(
            io.BytesIO(content), dict(status[1]), int(code), reason=reason, preload_content=False,
            request_method=request.method,
        )  # fmt: skip
        reply = self.build_response(request, raw)
        _ = reply.content
        self._exchanges.append(reply)
        return reply


@contextmanager
def in_place_of(url: str, adapter: AppAdapter) -> Iterator[None]:
    """Use the adapter for an address in all sessions of `requests`."""
    real = HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if (request.url or "").startswith(f"{url}/"):
            return adapter.send(request)
        return real(self, request, *args, **options)

    with patch.object(HTTPAdapter, "send", send):
        yield


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    """The environ as the server builds it: the path unquoted, its bytes as characters."""
    parts = urlsplit(request.url or "")
    body = request.body or b""
    content = body if isinstance(body, bytes) else str(body).encode()
    headers = {f"HTTP_{name.upper().replace('-', '_')}": _text(value) for name, value in request.headers.items()}
    headers.pop("HTTP_CONTENT_LENGTH", None)
    return {
        "HTTP_HOST": parts.netloc,
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(content)) if content else "",
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
