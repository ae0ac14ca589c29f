"""Files that one process at a time may write; the system frees the lock however that process ends.

Where the system has `flock`, the lock is on the open file itself. On Windows, where an open file can be neither renamed
nor read through a second handle while it is locked, `filelock` locks a file beside it. It is not used elsewhere: it
would leave its lock files behind, as only Windows lets them be removed without a race.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    import filelock

try:
    import fcntl
except ImportError:  # Windows
    _HAS_FLOCK = False
else:
    _HAS_FLOCK = True

LOCK_SUFFIX = ".lock"
_LOCKED = (errno.EWOULDBLOCK, errno.EACCES)
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_ATTEMPTS = 8


class LocksUnavailable(OSError):
    """The file system has no locks."""


class LockedFile:
    """An open file and the lock on it.

    Args:
        handle: the file descriptor.
        lock: the lock beside it; without one, the lock is on the open file.
    """

    def __init__(self, handle: int, lock: Optional[filelock.BaseFileLock] = None) -> None:
        self.handle = handle
        self._lock = lock
        self._flock = os.dup(handle) if lock is None else -1  # a copy of the descriptor keeps the lock

    def close(self) -> None:
        """Close the file and keep the lock, so that the file can be renamed or removed on every system."""
        handle, self.handle = self.handle, -1
        if handle >= 0:
            os.close(handle)

    def release(self) -> None:
        """Close the file, and let others lock it."""
        self.close()
        if self._lock is not None:
            self._lock.release()
            with suppress(OSError):  # another process has just locked it
                Path(self._lock.lock_file).unlink(missing_ok=True)
        elif self._flock >= 0:
            os.close(self._flock)
        self._lock, self._flock = None, -1


def open_locked(path: Path, mode: int = 0o666) -> Optional[LockedFile]:
    """Open a file for reading and writing, create it if it is missing, and lock it.

    Returns:
        `None` when it is locked already, by this process or another one, or when it cannot be used: it belongs to
        another user, or is a link or a folder.

    Raises:
        LocksUnavailable: the file system has no locks; the file was removed.
        OSError: it cannot be created.
    """
    return _open_with_flock(path, mode) if _HAS_FLOCK else _open_with_lock_beside(path, mode)


def lock_folder(path: Path) -> Optional[int]:
    """The descriptor of a folder, locked until it is closed.

    Returns:
        `None` when it is locked already, or is no folder or a link, or where folders have no locks.
    """
    if not _HAS_FLOCK:
        return None
    handle = None
    try:
        handle = os.open(path, _FOLDER)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_same(path, handle):
            return handle
    except OSError:  # also when it has just been renamed or removed
        pass
    if handle is not None:
        os.close(handle)
    return None


def _open_with_flock(path: Path, mode: int) -> Optional[LockedFile]:
    for _ in range(_ATTEMPTS):
        handle = _open(path, mode)
        if handle is None:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(path, handle):
                return LockedFile(handle)
            os.close(handle)  # it has just been renamed or removed: the path is another file now
        except OSError as error:
            os.close(handle)
            if error.errno in _LOCKED:
                return None
            path.unlink(missing_ok=True)
            raise LocksUnavailable(error.errno, error.strerror, str(path)) from error
    return None


def _open_with_lock_beside(path: Path, mode: int) -> Optional[LockedFile]:
    import filelock

    lock = filelock.FileLock(f"{path}{LOCK_SUFFIX}", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return None
    except NotImplementedError as error:
        raise LocksUnavailable(errno.ENOSYS, os.strerror(errno.ENOSYS), str(path)) from error
    handle = None
    try:
        handle = _open(path, mode)
    finally:
        if handle is None:
            lock.release()
    return None if handle is None else LockedFile(handle, lock)


def _open(path: Path, mode: int) -> Optional[int]:
    """Open or create a file; `None` when it exists and cannot be used."""
    try:
        return os.open(path, _FLAGS, mode)
    except OSError:
        if os.path.lexists(path):
            return None
        raise


def _is_same(path: Path, handle: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False
