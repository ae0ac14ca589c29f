"""Parts of large files, and the checksums that OBS reports for objects."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CHUNK = 1 << 17  # bytes of a reply that are read at once
READ_AT_ONCE = 1 << 20  # bytes of a local file
PART_SIZE = 16 << 20
MARK = "modelarts-part-size"  # metadata of objects that were uploaded in parts by this SDK: the size of the parts
_MOST_PARTS = 10_000
_MIB = 1 << 20


def part_size_of(size: int, smallest: int = PART_SIZE) -> int:
    """The size of the parts of a file; it depends on the file's size alone, so that sums of parts can be compared."""
    return smallest if size <= smallest * _MOST_PARTS else -(-size // (_MOST_PARTS * _MIB)) * _MIB


def ranges(size: int, part_size: int) -> Iterator[tuple[int, int, int]]:
    """Number, offset and length of each part; the numbers begin with 1."""
    for number, offset in enumerate(range(0, size, part_size), 1):
        yield number, offset, min(part_size, size - offset)


def md5(content: bytes = b"") -> Any:
    """An MD5 object."""
    return hashlib.md5(content, usedforsecurity=False)


def md5_of(file: Path, offset: int = 0, length: int | None = None) -> bytes:
    """The MD5 of a file, or of a range of it."""
    digest = md5()
    buffer = memoryview(bytearray(READ_AT_ONCE if length is None else min(READ_AT_ONCE, length)))
    with file.open("rb", buffering=0) as opened:
        opened.seek(offset)
        while buffer and (size := opened.readinto(buffer)):
            digest.update(buffer[:size])
            if length is not None:
                length -= size
                buffer = buffer[:length]
    found: bytes = digest.digest()
    return found


def as_header(digest: bytes) -> str:
    """The value of `Content-MD5`."""
    return base64.b64encode(digest).decode()


def plain(etag: str | None) -> str:
    """An ETag without its quotes."""
    return (etag or "").strip('"').lower()


def is_md5(etag: str) -> bool:
    """Whether an ETag can be the MD5 of the content, as for an object that was not uploaded in parts."""
    return re.fullmatch(r"[0-9a-f]{32}", plain(etag)) is not None


def of_parts(digests: Iterable[bytes]) -> str:
    """The ETag of an object that was uploaded in parts with these MD5s."""
    parts = list(digests)
    return f"{md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def part_count(etag: str) -> int:
    """The number of parts in an ETag; 0 where it has none."""
    found = re.fullmatch(r"[0-9a-f]{32}-(\d+)", plain(etag))
    return int(found[1]) if found else 0


def has_other_parts(file: Path, etag: str, size: int) -> bool:
    """Whether an ETag is that of a file in as many parts of another size, in whole MiB as is usual."""
    count = part_count(etag)
    if count < 2:
        return False
    smallest, largest = -(-size // count), -(-size // (count - 1)) - 1
    sizes = range(-(-smallest // _MIB) * _MIB, largest + 1, _MIB)
    return any(same(file, etag, size, part_size) for part_size in sizes)


def same(file: Path, etag: str, size: int, part_size: int) -> bool:
    """Whether a file has the content that an ETag was computed from.

    That cannot be known when the parts have another size, or the object is encrypted. Then the result is false, and the
    file is uploaded again.
    """
    if is_md5(etag):
        return md5_of(file).hex() == plain(etag)
    found = list(ranges(size, part_size))
    if part_count(etag) != len(found):
        return False
    return of_parts(md5_of(file, offset, length) for _, offset, length in found) == plain(etag)
