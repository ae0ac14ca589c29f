"""A range of a local file on its way to OBS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from modelarts._obs.failures import FAILED, explained
from modelarts._obs.transfer.worker_pool import Transfer
from modelarts.errors import ObsError


class Source:
    """So many bytes of a file as `esdk-obs-python` reads them; ends the request when the transfer is stopped."""

    def __init__(self, file: IO[bytes], length: int, transfer: Transfer, name: Path) -> None:
        self._file = file
        self._left = length
        self._transfer = transfer
        self._name = name
        self.sent = 0

    def read(self, size: int) -> bytes:
        with explained(f"read {self._name}"):
            chunk = self._file.read(min(size, self._left))
        if not chunk and self._left:
            raise changed(self._name)
        self._left -= len(chunk)
        self.sent += len(chunk)
        self._transfer.moved(len(chunk))
        return chunk

    def close(self) -> None:
        self._file.close()


def is_other(was: os.stat_result, now: os.stat_result) -> bool:
    """Whether a file has been written to between two looks at it."""
    return (was.st_size, was.st_mtime_ns) != (now.st_size, now.st_mtime_ns)


def changed(file: Path) -> ObsError:
    """The error for a file that is not what it was when its upload began."""
    return ObsError(f"{file} changed while it was uploaded; call again when nothing writes to it", FAILED)
