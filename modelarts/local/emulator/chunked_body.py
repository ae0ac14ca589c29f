"""Bodies in chunks, decoded piece by piece: a chunk may be as large as an object."""

from __future__ import annotations

import re
from typing import IO, Any, Optional

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(?:;[^\r\n]*)?\r\n")
_LINE = 8192
_TRAILERS = 100  # lines


class ChunkedBody:
    """The content of a body with `Transfer-Encoding: chunked`.

    Args:
        received: what the client sends.
        server: the reader of the HTTP server, which learns here that the body has been received.
        limit: how many bytes the content may have, if that is limited.
    """

    def __init__(self, received: IO[bytes], server: Any, limit: Optional[int]) -> None:
        self._received = received
        self._server = server
        self._limit = limit
        self._left = 0  # of the current chunk
        self._has_ended = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer than `size` only at the end.

        Raises:
            ClientDisconnected: the body ends too early, or is malformed.
            RequestEntityTooLarge: it has more bytes than the limit.
        """
        pieces: list[bytes] = []
        while size and not self._has_ended:
            if not self._left:
                self._begin_chunk()
                continue
            piece = self._received.read(min(self._left, size) if size > 0 else self._left)
            if not piece:
                raise ClientDisconnected
            pieces.append(piece)
            self._left -= len(piece)
            size -= len(piece) if size > 0 else 0
            if not self._left:
                self._end_chunk()
        return b"".join(pieces)

    def _end_chunk(self) -> None:
        """Read the size of the next chunk, too: the reader may need no more bytes, and must learn of a limit."""
        if self._received.readline(3) != b"\r\n":
            raise ClientDisconnected
        self._begin_chunk()

    def _begin_chunk(self) -> None:
        found = _SIZE.fullmatch(self._received.readline(_LINE))
        if found is None:
            raise ClientDisconnected
        self._left = int(found[1], 16)
        if self._limit is not None:
            self._limit -= self._left
            if self._limit < 0:
                raise RequestEntityTooLarge
        if not self._left:
            self._end()

    def _end(self) -> None:
        for _ in range(_TRAILERS):
            line = self._received.readline(_LINE)
            if line == b"\r\n":
                self._has_ended = self._server.closed = True
                return
            if not line:
                break
        raise ClientDisconnected
