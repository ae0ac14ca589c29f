"""Parsing of requests to OBS: bucket, key, parameters, headers and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Optional, cast
from urllib.parse import unquote_to_bytes

import attrs
from werkzeug.datastructures import Range
from werkzeug.wrappers import Request
from werkzeug.wsgi import LimitedStream

from modelarts.local.emulator.obs.errors import ObsError

MAX_REQUEST_BYTES = 5 << 30  # bytes in one request (obs_04_0080)


@attrs.frozen
class Dialect:
    """One of the two schemes of signatures and of names of headers."""

    scheme: str
    prefix: str


OBS, AWS = Dialect("OBS", "x-obs-"), Dialect("AWS", "x-amz-")


@attrs.frozen(kw_only=True)
class Call:
    """A request. Paths and parameters are decoded, names of headers are in lower case."""

    method: str
    bucket: str
    key: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: IO[bytes] = attrs.field(repr=False)
    length: Optional[int]  # of the body; unknown if it is sent in chunks
    range: Optional[Range]
    target: str  # path and query as they were sent

    @property
    def dialect(self) -> Dialect:
        return AWS if self.headers.get("authorization", "").startswith("AWS") else OBS

    @property
    def what(self) -> str:
        """The kind of resource: service, bucket or object."""
        return "object" if self.key else "bucket" if self.bucket else "service"

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.method} of a{'n' if self.key else ''} {self.what}"

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A parameter that is a whole number; larger values are reduced to `most`."""
        text = self.parameters.get(name, str(default))
        if re.fullmatch("[0-9]{1,9}", text) is None or int(text) < least:
            raise ObsError("InvalidArgument", f"{name} must be a whole number from {least}, got {text!r}")
        return min(int(text), most)


def body_of(request: Request) -> IO[bytes]:
    """The body; empty if there is no length. Reading raises `ClientDisconnected` if it ends too early."""
    stream = request.environ["wsgi.input"]
    chunked = bool(request.environ.get("wsgi.input_terminated"))
    limit = MAX_REQUEST_BYTES + 1 if chunked else request.content_length or 0
    return cast("IO[bytes]", LimitedStream(stream, limit, is_max=chunked))


def call_of(request: Request, body: IO[bytes]) -> Call:
    """The parsed request. Raises `ObsError` if it is malformed."""
    target = request.environ["REQUEST_URI"]
    path, _, query = target.partition("?")
    bucket, _, key = path[1:].partition("/")
    pairs = [member.partition("=") for member in query.split("&") if member]
    return Call(
        method=request.method,
        bucket=_decoded(bucket),
        key=_decoded(key),
        parameters={_decoded(name): _decoded(value.replace("+", " ")) for name, _, value in pairs},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        length=request.content_length,
        range=request.range,
        target=target,
    )


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise ObsError("InvalidURI", f"{text!r} is not a percent-encoded UTF-8 text") from None
