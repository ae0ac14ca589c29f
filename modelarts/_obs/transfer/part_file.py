"""Files that are not whole yet: written beside their target and renamed; what a killed process left is used or removed.

Their names depend on the target alone, and whoever writes one holds a lock on it. So what nobody holds was left behind.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Union

from modelarts._obs.paths import PART

_HELD = (errno.EWOULDBLOCK, errno.EACCES)
_LOOKED_AT = 4  # names that are looked at for what was left; there is more than one only where several wrote at once
_ATTEMPTS = 8
_PATIENCE = 1.0  # seconds that a write under way gets to end


def was_left(target: Path) -> bool:
    """Whether somebody began to write a file and did not end, or is about it."""
    return os.path.lexists(_name(target))


class Partial:
    """A file of this process alone, which is to become `target`; its folder is made when missing. Raises `OSError`.

    Many threads may write it. Once it is left, removed or in place, none of them can: a thread that the network held
    up may come back when the file has its name, or another transfer goes on with it.
    """

    def __init__(self, target: Path) -> None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        self._target = target
        self._lock = threading.Lock()  # around all that needs the file to be ours
        self.path, self._handle = _taken(target)

    def begin(self, size: int) -> None:
        """Forget what was left: another file takes its place."""
        self.remove()
        self.path, self._handle = _taken(self._target)
        self.empty()
        os.ftruncate(self._handle, size)

    def empty(self) -> None:
        """Forget what this process wrote."""
        with self._lock:
            os.ftruncate(self._handle, 0)

    def write(self, chunk: Union[bytes, memoryview], offset: int) -> None:
        """Write all of a chunk."""
        view = memoryview(chunk)
        while view:
            with self._lock:
                written = os.pwrite(self._handle, view, offset)
            view, offset = view[written:], offset + written

    def put_in_place(self) -> None:
        """Give it its name, and the mode of the file that had it until now."""
        with self._lock:
            with suppress(FileNotFoundError, PermissionError):
                os.fchmod(self._handle, stat.S_IMODE(self._target.stat().st_mode))
            self.path.replace(self._target)
            self._close()

    def remove(self) -> None:
        """It is of no use, unless it has got its name by now."""
        if self._handle >= 0:
            self.path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> bool:
        """Leave it to whoever goes on; when a disk holds up a write, which would come later, it is removed instead."""
        if not self._lock.acquire(timeout=_PATIENCE):
            self._handle = -1  # not closed: the write that is under way has it
            self.path.unlink(missing_ok=True)
            return False
        try:
            self._close()
        finally:
            self._lock.release()
        return True

    def _close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _taken(target: Path) -> tuple[Path, int]:
    """The first file for a target that nobody holds, open and held; further ones that were left are removed."""
    names = (_name(target, number) for number in itertools.count())
    path, handle = next((name, held) for name in names if (held := _held(name)) is not None)
    if handle < 0:  # a file system without locks
        handle, unique = tempfile.mkstemp(prefix=PART, dir=target.parent)
        return Path(unique), handle
    for other in itertools.islice(names, _LOOKED_AT):
        _remove_if_left(other)
    return path, handle


def _name(target: Path, number: int = 0) -> Path:
    token = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    return target.parent / f"{PART}{token}{number or ''}"


def _remove_if_left(path: Path) -> None:
    handle = _held(path) if path.exists() else None
    if handle is not None and handle >= 0:
        path.unlink(missing_ok=True)
        os.close(handle)


def _held(path: Path) -> int | None:
    """A file opened, or made, and held; `None` when another one holds it, -1 where files cannot be held."""
    for attempt in range(_ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # the folder was empty, and has just been removed
            if attempt + 1 < _ATTEMPTS:
                continue
            raise
        except OSError:
            if os.path.lexists(path):  # another user's, or a link
                return None
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(path, handle):
                return handle
        except OSError as error:
            os.close(handle)
            if error.errno in _HELD:
                return None
            path.unlink(missing_ok=True)
            return -1
        os.close(handle)  # it has just got its name, or was removed: the next one is another file
    return None


def _is(path: Path, handle: int) -> bool:
    with suppress(FileNotFoundError):
        status, found = os.fstat(handle), path.lstat()
        return (status.st_dev, status.st_ino) == (found.st_dev, found.st_ino)
    return False
