"""ETags of files, which for objects that came in one piece are the MD5 of the content."""

from __future__ import annotations

import hashlib
import os
from typing import IO, Any

SUMMED_AT_MOST = 8 << 20  # bytes; reading more, of a file that somebody else wrote, keeps a client waiting
_CHUNK = 1 << 17
_KEPT = 100_000

_sums: dict[tuple[int, ...], str] = {}


def md5(content: bytes = b"") -> Any:
    """An MD5 in the making."""
    return hashlib.md5(content, usedforsecurity=False)


def etag_of(file: IO[bytes], status: os.stat_result) -> str:
    """The MD5 of an open file; for a large one a text that is none, and another one when the file has changed."""
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if status.st_size > SUMMED_AT_MOST:
        return f"{md5(repr(stamp).encode()).hexdigest()}-0"
    if stamp not in _sums:
        if len(_sums) >= _KEPT:
            _sums.clear()
        _sums[stamp] = _md5_of(file, status.st_size)
    return _sums[stamp]


def of_parts(sums: list[str]) -> str:
    """The ETag of an object that was sent in parts with these MD5s."""
    return f"{md5(b''.join(map(bytes.fromhex, sums))).hexdigest()}-{len(sums)}"


def _md5_of(file: IO[bytes], size: int) -> str:
    digest = md5()
    file.seek(0)
    while size and (chunk := file.read(min(_CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    found: str = digest.hexdigest()
    return found
