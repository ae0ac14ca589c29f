"""Bodies of requests with version 4 signatures: their digest is signed, or they come in chunks with a checksum."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

import attrs
from werkzeug.exceptions import ClientDisconnected

from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.request import ObsRequest

_UNSIGNED = "UNSIGNED-PAYLOAD"
_CHUNKED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_CRC32 = "x-amz-checksum-crc32"  # the others need packages of their own
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(?:;[^\r\n]*)?\r\n")
_PIECE = 1 << 17
_LINE = 8192


def checked(request: ObsRequest, digest: str) -> ObsRequest:
    """The request with a body that is decoded and checked while it is read.

    Args:
        request: the request.
        digest: its header `x-amz-content-sha256`.

    Raises:
        ObsApiError: there is no such kind of body. Reading the body raises it, too, if it is not what was signed.
    """
    if digest == _CHUNKED:
        trailers: dict[str, str] = {}
        body = Checked(_decoded(request.body, trailers), "", trailers)
        length = request.headers.get("x-amz-decoded-content-length", "")
        headers = {**request.headers, "content-encoding": _without_chunks(request.headers.get("content-encoding", ""))}
        return attrs.evolve(
            request,
            body=_file(body),
            headers={name: value for name, value in headers.items() if value},
            length=int(length) if length.isdecimal() else None,
        )
    if digest != _UNSIGNED and not re.fullmatch("[0-9a-f]{64}", digest):
        raise ObsApiError("NotImplemented", f"the local service does not implement x-amz-content-sha256: {digest!r}")
    pieces = iter(lambda: request.body.read(_PIECE), b"")
    return attrs.evolve(
        request, body=_file(Checked(pieces, "" if digest == _UNSIGNED else digest, request.headers))
    )


class Checked:
    """A body whose digest and checksum are compared at its end.

    Args:
        pieces: the content.
        digest: the expected SHA-256; if it is empty, it is not signed.
        headers: may have a checksum. They may be filled while the content is read.
    """

    def __init__(self, pieces: Iterator[bytes], digest: str, headers: Mapping[str, str]) -> None:
        self._pieces = pieces
        self._digest = digest
        self._headers = headers
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self._rest = b""
        self._at_end = False

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only at the end. Raises `ObsApiError`."""
        found = [self._rest]
        count = len(self._rest)
        while count < size and not self._at_end:
            piece = next(self._pieces, b"")
            self._at_end = not piece
            if self._digest:
                self._sha256.update(piece)
            self._crc32 = zlib.crc32(piece, self._crc32)
            found.append(piece)
            count += len(piece)
            if self._at_end:
                self._check()
        data = b"".join(found)
        self._rest = data[size:]
        return data[:size]

    def _check(self) -> None:
        if self._digest and self._sha256.hexdigest() != self._digest:
            raise ObsApiError("BadDigest", "the body does not match x-amz-content-sha256")
        expected = self._headers.get(_CRC32)
        if expected and base64.b64encode(self._crc32.to_bytes(4, "big")).decode() != expected:
            raise ObsApiError("BadDigest", f"the body does not match {_CRC32}")


def _decoded(body: IO[bytes], trailers: dict[str, str]) -> Iterator[bytes]:
    """The content of a body in chunks (`aws-chunked`); what follows it is added to `trailers`."""
    while size := _size(body):
        while size:
            piece = body.read(min(size, _PIECE))
            if not piece:
                raise ClientDisconnected
            size -= len(piece)
            yield piece
        if body.readline(_LINE) != b"\r\n":
            raise ClientDisconnected
    while line := body.readline(_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


def _size(body: IO[bytes]) -> int:
    found = _SIZE.fullmatch(body.readline(_LINE))
    if found is None:
        raise ClientDisconnected
    return int(found[1], 16)


def _without_chunks(encodings: str) -> str:
    kept = [name for name in map(str.strip, encodings.split(",")) if name and name != "aws-chunked"]
    return ", ".join(kept)


def _file(body: Checked) -> Any:
    return cast("IO[bytes]", body)
