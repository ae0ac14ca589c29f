"""The content of an open file, copied to another: inside the kernel where it can.

There, file systems that can do so share the content between both files (reflinks) and copy nothing at all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from io import FileIO

_LEAST = 1 << 18  # bytes; for less, the kernel's way takes longer than reading and writing
_MOST = 1 << 24  # bytes of one call, after which progress is shown and a transfer can be cancelled
_CHUNK = 1 << 20
_UNABLE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY)
_by_kernel = getattr(os, "copy_file_range", None)  # Linux, and some others with newer Pythons


def copied(source: FileIO, target: int, size: int) -> Iterator[int]:
    """Append what is left of a file to another one, as the caller iterates.

    Args:
        source: the file to read.
        target: the descriptor to write to.
        size: about how much there is.

    Yields:
        How many bytes were copied by each step.

    Raises:
        OSError: it cannot be read or written.
    """
    if size >= _LEAST and _by_kernel is not None:
        try:
            while length := _by_kernel(source.fileno(), target, _MOST):
                yield length
        except OSError as error:
            if error.errno not in _UNABLE:
                raise
    # What is left: all of it, what was appended meanwhile, or the content of a file that pretends to have none (/proc).
    chunk = memoryview(bytearray(min(max(size + 1, 1), _CHUNK)))
    while length := source.readinto(chunk):
        write_all(target, chunk[:length])
        yield length


def write_all(target: int, chunk: memoryview) -> None:
    """Write all of a chunk at the position of a descriptor."""
    while chunk:
        chunk = chunk[os.write(target, chunk) :]
