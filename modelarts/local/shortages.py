"""What the machine lacks, as a sentence, when the service cannot store or open something."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

_DISK = (errno.ENOSPC, errno.EDQUOT)
_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_NO_DESCRIPTORS = (
    "the local service has no free file descriptors: close sessions and try again, or raise the limit (`ulimit -n`) "
    "and restart the service"
)
_UNCLEAR = ("unable to open database file", "disk i/o error")  # of SQLite, for anything that the system refuses


def shortage(error: BaseException, folder: Path) -> str:
    """What is lacking if an error is about that, and will not be any more when there is room again; else an empty text.

    Args:
        error: what was raised.
        folder: where the service keeps its state.
    """
    if isinstance(error, OSError) and error.errno in _DESCRIPTORS:
        return _NO_DESCRIPTORS
    if isinstance(error, OSError) and error.errno in _DISK:
        return _of_disk(folder)
    if isinstance(error, sqlite3.Error):
        text = str(error).lower()
        if "disk is full" in text:
            return _of_disk(folder)
        if any(part in text for part in _UNCLEAR):
            return _NO_DESCRIPTORS if _has_no_descriptor() else _of_disk(folder) if _is_full(folder) else ""
    return ""


def _of_disk(folder: Path) -> str:
    what = "has no free inodes" if _has_no_inode(folder) else "is full"
    remedy = f"remove files from the disk of {folder}, such as with `modelarts local clean`, and try again"
    return f"the disk of the local service {what}: {remedy}"


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
