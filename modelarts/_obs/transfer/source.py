"""A range of a local file that is uploaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from modelarts._obs.failures import FAILED, report_os_errors
from modelarts._obs.transfer.worker_pool import Transfer
from modelarts.errors import ObsError


class Source:
    """A number of bytes of a file, read in chunks; a cancelled transfer ends the request."""

    def __init__(self, file: IO[bytes], length: int, transfer: Transfer, name: Path) -> None:
        self._file = file
        self._left = length
        self._transfer = transfer
        self._name = name
        self.sent = 0

    def read(self, size: int) -> bytes:
        with report_os_errors(f"read {self._name}"):
            chunk = self._file.read(min(size, self._left))
        if not chunk and self._left:
            raise modified_error(self._name)
        self._left -= len(chunk)
        self.sent += len(chunk)
        self._transfer.moved(len(chunk))
        return chunk

    def close(self) -> None:
        self._file.close()


def was_modified(was: os.stat_result, now: os.stat_result) -> bool:
    """Whether a file was written to between two calls of `stat`."""
    return (was.st_size, was.st_mtime_ns) != (now.st_size, now.st_mtime_ns)


def modified_error(file: Path) -> ObsError:
    """The error for a file that changed after its upload began."""
    return ObsError(f"{file} changed while it was uploaded; call again when nothing writes to it", FAILED)
