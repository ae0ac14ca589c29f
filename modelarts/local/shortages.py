"""What the machine lacks, as a sentence, when the service cannot store or open something."""

from __future__ import annotations

import errno
import os
import sqlite3
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

_DISK = (errno.ENOSPC, errno.EDQUOT)
_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_UNCLEAR = ("unable to open database file", "disk i/o error")  # of SQLite, for anything that the system refuses


class Shortage(NamedTuple):
    """Why something failed that will succeed when there is room again, and the HTTP status for it."""

    reason: str
    status: int


def shortage(error: BaseException, folder: Path) -> Shortage | None:
    """The shortage that an error is about; `None` if it has another cause.

    Args:
        error: what was raised.
        folder: where the service keeps its state.
    """
    if isinstance(error, OSError) and error.errno in _DESCRIPTORS:
        return _of_descriptors()
    if isinstance(error, OSError) and error.errno in _DISK:
        return _of_disk(folder)
    if isinstance(error, sqlite3.Error):
        text = str(error).lower()
        if "disk is full" in text:
            return _of_disk(folder)
        if any(part in text for part in _UNCLEAR):
            return _of_descriptors() if _has_no_descriptor() else _of_disk(folder) if _is_full(folder) else None
    return None


def _of_disk(folder: Path) -> Shortage:
    what = "has no free inodes" if _has_no_inode(folder) else "is full"
    remedy = f"remove files from the disk of {folder}, such as with `modelarts local clean`, and try again"
    return Shortage(f"the disk of the local service {what}: {remedy}", HTTPStatus.INSUFFICIENT_STORAGE)


def _of_descriptors() -> Shortage:
    remedy = "close sessions and try again, or raise the limit (`ulimit -n`) and restart the service"
    return Shortage(f"the local service has no free file descriptors: {remedy}", HTTPStatus.SERVICE_UNAVAILABLE)


def _has_no_descriptor() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in _DESCRIPTORS
    return False


def _has_no_inode(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_files > 0 and status.f_favail == 0


def _is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail == 0 or _has_no_inode(folder)
