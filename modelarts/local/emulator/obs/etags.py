"""ETags of files: for objects sent in one request, the MD5 of their content."""

from __future__ import annotations

import hashlib
import os
from typing import IO, Any

MAX_HASHED_BYTES = 8 << 20  # hashing larger files, which jobs or sessions wrote, would take too long
_CHUNK = 1 << 17
_CACHE_SIZE = 100_000

_md5s: dict[tuple[int, ...], str] = {}


def md5(content: bytes = b"") -> Any:
    """A new MD5 hash object."""
    return hashlib.md5(content, usedforsecurity=False)


def etag_of(file: IO[bytes], status: os.stat_result) -> str:
    """The MD5 of an open file; for a large one, a value derived from inode, size and time of modification."""
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if status.st_size > MAX_HASHED_BYTES:
        return f"{md5(repr(stamp).encode()).hexdigest()}-0"
    if stamp not in _md5s:
        if len(_md5s) >= _CACHE_SIZE:
            _md5s.clear()
        _md5s[stamp] = _md5_of(file, status.st_size)
    return _md5s[stamp]


def etag_of_parts(md5s: list[str]) -> str:
    """The ETag of an object that was sent in parts with these MD5s."""
    return f"{md5(b''.join(map(bytes.fromhex, md5s))).hexdigest()}-{len(md5s)}"


def _md5_of(file: IO[bytes], size: int) -> str:
    digest = md5()
    file.seek(0)
    while size and (chunk := file.read(min(_CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return str(digest.hexdigest())
