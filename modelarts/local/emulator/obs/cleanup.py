"""Removal of incomplete files, left behind by processes that were killed."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from modelarts._obs.paths import PART


def remove_abandoned_below(top: Path) -> None:
    """Remove incomplete files below a folder. The service does this at its start, before it writes any."""
    for folder, _, names in os.walk(top):
        for name in names:
            if name.startswith(PART):
                remove_if_abandoned(Path(folder, name))


def remove_if_abandoned(file: Path) -> None:
    """Remove an incomplete file, unless a process (such as a local session) holds a lock on it."""
    with suppress(OSError):
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), file.lstat()):
                file.unlink()
        finally:
            os.close(handle)
