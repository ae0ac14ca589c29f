"""Headers of which there is one reading only, so that a signature covers what the request is carried out by.

A header that is no list and occurs twice, one that is continued on another line, and a name with an underscore, which
WSGI does not distinguish from a hyphen, have been read differently by signers, proxies and servers.
"""

from __future__ import annotations

from typing import Any, Optional

from cheroot import server

_LISTS = frozenset(server.comma_separated_headers)  # type: ignore[attr-defined]
_LENGTHS = {b"Content-Length", b"Transfer-Encoding"}


class StrictHeaderReader(server.HeaderReader):
    """Reads the headers of a request; raises `ValueError`, which the server answers with status 400."""

    def __call__(self, rfile: Any, hdict: Optional[dict[bytes, bytes]] = None) -> dict[bytes, bytes]:
        headers: dict[bytes, bytes] = super().__call__(_Lines(rfile), hdict)
        # cheroot would answer it at once, before it is known whether the body will be read.
        rfile.rfile.expects_continue = headers.pop(b"Expect", b"").lower() == b"100-continue"
        return headers


class _Lines:
    """The lines of headers, each checked before it is parsed."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._seen: set[bytes] = set()

    def readline(self) -> bytes:
        line: bytes = self._file.readline()
        if line[:1] in (b" ", b"\t"):
            raise ValueError("A header must be written on one line.")
        sent, colon, value = line.partition(b":")
        name = sent.strip().title()
        if not colon:
            return line
        shown = sent.decode("latin-1")[:80]
        if name != sent.title() or b"_" in name:
            raise ValueError(f"The name of the header {shown!r} must have hyphens instead of underscores and blanks.")
        if name in self._seen and name not in _LISTS:
            raise ValueError(f"The header {shown!r} must not occur more than once.")
        if name == b"Content-Length" and not value.strip().isdigit():
            raise ValueError("Content-Length must consist of digits.")
        self._seen.add(name)
        if self._seen >= _LENGTHS:
            raise ValueError("The length of a body must be given by Content-Length or by chunks, not both.")
        return line
