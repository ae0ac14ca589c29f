"""Removal of incomplete files and folders, left behind by processes that were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path

from modelarts._obs.paths import PART


def remove_abandoned_below(top: Path) -> None:
    """Remove incomplete files and folders below a folder that nobody is writing."""
    for folder, folders, names in os.walk(top):
        for name in (*names, *folders):
            if name.startswith(PART):
                _remove_if_abandoned(Path(folder, name))
        folders[:] = [name for name in folders if not name.startswith(PART)]


def _remove_if_abandoned(path: Path) -> None:
    """Remove an incomplete file or folder, unless a process (such as a local session) holds a lock on it."""
    with suppress(OSError):
        is_folder = path.is_dir() and not path.is_symlink()
        access = os.O_DIRECTORY if is_folder else os.O_RDWR
        handle = os.open(path, access | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(handle), path.lstat()):
                return
            if is_folder:
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(handle)
