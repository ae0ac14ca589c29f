"""Parsing of requests to OBS: bucket, key, parameters, headers and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, Optional, cast
from urllib.parse import unquote_to_bytes

import attrs
from werkzeug.datastructures import Range
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request
from werkzeug.wsgi import LimitedStream

from modelarts.local.emulator.obs.errors import ObsApiError

MAX_REQUEST_BYTES = 5 << 30  # of one body (obs_04_0080)
MAX_XML_BYTES = 2 << 20  # enough for 10000 parts or 1000 keys
_CHUNK = 1 << 17


@attrs.frozen
class Dialect:
    """One of the two schemes of signatures and of names of headers."""

    scheme: str
    prefix: str


OBS, AWS = Dialect("OBS", "x-obs-"), Dialect("AWS", "x-amz-")


@attrs.frozen(kw_only=True)
class ObsRequest:
    """A request. Paths and parameters are decoded, names of headers are in lower case."""

    method: str
    bucket: str
    key: str
    parameters: Mapping[str, str]
    query: tuple[tuple[str, Optional[str]], ...]  # the same, `None` without an equals sign; this is what is signed
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: IO[bytes] = attrs.field(repr=False)
    length: Optional[int]  # of the body; unknown if it is sent in chunks
    range: Optional[Range]
    target: str  # path and query as they were sent

    @property
    def dialect(self) -> Dialect:
        return AWS if self.headers.get("authorization", "").startswith("AWS") else OBS

    @property
    def resource(self) -> str:
        """The kind of resource: service, bucket or object."""
        return "object" if self.key else "bucket" if self.bucket else "service"

    def option(self, name: str) -> str:
        """The value of a header of the dialect, such as `copy-source`; empty if it is not there."""
        return self.headers.get(f"{self.dialect.prefix}{name}", "")

    @property
    def description(self) -> str:
        """Method and kind of resource, for messages."""
        return f"{self.method} of a{'n' if self.key else ''} {self.resource}"

    def number(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """A parameter that is a whole number; larger values are reduced to `maximum`."""
        text = self.parameters.get(name, str(default))
        if re.fullmatch("[0-9]{1,18}", text) is None or int(text) < minimum:
            raise ObsApiError("InvalidArgument", f"{name} must be a whole number from {minimum}, got {text!r}")
        return min(int(text), maximum)


def body_of(request: Request) -> IO[bytes]:
    """The body; empty if there is no length. Reading raises `ClientDisconnected` if it ends too early."""
    stream = request.environ["wsgi.input"]
    chunked = bool(request.environ.get("wsgi.input_terminated"))
    limit = MAX_REQUEST_BYTES + 1 if chunked else request.content_length or 0
    return cast("IO[bytes]", LimitedStream(stream, limit, is_max=chunked))


def discard(body: Any) -> None:
    """Read the rest of a body: a client that is still sending would not read the response."""
    with suppress(ClientDisconnected):
        while body.read(_CHUNK):
            pass


def parse_request(request: Request, body: IO[bytes]) -> ObsRequest:
    """The parsed request. Raises `ObsApiError` if it is malformed."""
    target = request.environ["REQUEST_URI"]
    path, _, query = target.partition("?")
    bucket, _, key = _decoded(path)[1:].partition("/")  # as it is signed, where a slash may be encoded
    members = _members(query)
    return ObsRequest(
        method=request.method,
        bucket=bucket,
        key=key,
        parameters={name: value or "" for name, value in members},
        query=members,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        length=request.content_length,
        range=request.range,
        target=target,
    )


def _members(query: str) -> tuple[tuple[str, Optional[str]], ...]:
    """The names and values of a query, decoded. They are decoded once: what is signed is what selects an operation."""
    members: dict[str, Optional[str]] = {}
    for name, equals, value in (member.partition("=") for member in query.replace("+", " ").split("&") if member):
        if _decoded(name) in members:
            raise ObsApiError("InvalidArgument", f"the parameter {_decoded(name)!r} occurs more than once")
        members[_decoded(name)] = _decoded(value) if equals else None
    return tuple(members.items())


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise ObsApiError("InvalidURI", f"{text!r} is not percent-encoded UTF-8") from None
