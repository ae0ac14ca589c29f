"""A range of a local file that is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from modelarts._obs.failures import FAILED, report_os_errors
from modelarts._obs.transfer.worker_pool import Transfer
from modelarts.errors import ObsError

CHUNK = 1 << 20  # bytes that are read at once


class Source:
    """So many bytes of an open file, piece by piece; its end cancels the request when the transfer is cancelled."""

    def __init__(self, file: IO[bytes], length: int, transfer: Transfer, name: Path) -> None:
        self._file = file
        self._left = length
        self._transfer = transfer
        self._name = name
        self.sent = 0

    def __iter__(self) -> Iterator[memoryview]:
        """The pieces, each valid until the next one is requested."""
        buffer = memoryview(bytearray(min(self._left, CHUNK)))
        while self._left:
            with report_os_errors(f"read {self._name}"):
                size = self._file.readinto(buffer[: self._left])  # type: ignore[attr-defined]
            if not size:
                raise modified_error(self._name)
            self._left -= size
            self.sent += size
            self._transfer.moved(size)
            yield buffer[:size]

    def close(self) -> None:
        self._file.close()


def was_modified(was: os.stat_result, now: os.stat_result) -> bool:
    """Whether a file was written to between two calls of `stat`."""
    return (was.st_size, was.st_mtime_ns) != (now.st_size, now.st_mtime_ns)


def modified_error(file: Path) -> ObsError:
    """The error for a file that changed after its upload began."""
    return ObsError(f"{file} changed while it was uploaded; call again when nothing writes to it", FAILED)
