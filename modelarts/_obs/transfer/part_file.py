"""Incomplete files: written beside their target, then renamed; one that a killed process left is resumed or removed.

The name of a part file depends on its target alone, and whoever writes it holds a lock on it. So a part file that
nobody has locked is a leftover.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Optional, Union

from modelarts._obs.paths import PART
from modelarts._obs.transfer.locked_file import LockedFile, LocksUnavailable, open_locked

_CHECKED_NAMES = 4  # further names checked for leftovers; they exist only where several processes wrote at once
_ATTEMPTS = 8
_PATIENCE = 1.0  # seconds that a write in progress gets to end


def is_unfinished(target: Path) -> bool:
    """Whether another process began to write this file and did not finish, or is still writing."""
    return os.path.lexists(_name(target))


class PartFile:
    """A file that this process alone writes and that becomes `target`; missing folders are created. Raises `OSError`.

    Many threads may write it. After `leave`, `remove` or `put_in_place`, none of them can: a thread that was blocked on
    the network may come back when the file is complete, or when another transfer resumes it.
    """

    def __init__(self, target: Path) -> None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        self._target = target
        self._guard = threading.Lock()  # held by whoever uses the descriptor
        self._acquire()

    @property
    def handle(self) -> int:
        """Its descriptor, for a thread that is alone in writing it."""
        return self._handle

    def begin(self, size: int) -> None:
        """Replace what an earlier transfer left by an empty file of this size."""
        self.remove()
        self._acquire()
        self.empty()
        os.ftruncate(self._handle, size)

    def empty(self) -> None:
        """Discard everything that was written."""
        with self._guard:
            os.ftruncate(self._handle, 0)

    def write(self, chunk: Union[bytes, memoryview], offset: int) -> None:
        """Write all of a chunk."""
        view = memoryview(chunk)
        while view:
            with self._guard:
                os.lseek(self._handle, offset, os.SEEK_SET)  # Windows has no `pwrite`
                written = os.write(self._handle, view)
            view, offset = view[written:], offset + written

    def put_in_place(self) -> None:
        """Rename it to its target, with the permissions of the file that it replaces."""
        with self._guard:
            with suppress(FileNotFoundError, PermissionError):
                self.path.chmod(stat.S_IMODE(self._target.stat().st_mode))
            self._close()
            self.path.replace(self._target)
            self._release()

    def remove(self) -> None:
        """Delete it, unless it was put in place."""
        self._end(keep=False)

    def leave(self) -> bool:
        """Keep it for a transfer that resumes it; if a write hangs, which would come later, it is deleted instead."""
        return self._end(keep=True)

    def _end(self, keep: bool) -> bool:
        if not self._guard.acquire(timeout=_PATIENCE):
            self._handle, self._is_ours = -1, False  # not closed: the write in progress uses it
            with suppress(PermissionError):  # Windows keeps open files
                self.path.unlink(missing_ok=True)
            return False
        try:
            if self._is_ours:
                self._close()
                if not keep:
                    self.path.unlink(missing_ok=True)
                self._release()
        finally:
            self._guard.release()
        return True

    def _acquire(self) -> None:
        self.path, self._locked, self._handle = _acquired(self._target)
        self._is_ours = True

    def _close(self) -> None:
        handle, self._handle = self._handle, -1
        if self._locked is not None:
            self._locked.close()
        elif handle >= 0:
            os.close(handle)

    def _release(self) -> None:
        self._is_ours = False
        if self._locked is not None:
            self._locked.release()


def _acquired(target: Path) -> tuple[Path, Optional[LockedFile], int]:
    """The first part file of a target that nobody has locked, locked and open; further leftovers are removed."""
    names = (_name(target, number) for number in itertools.count())
    try:
        path, locked = next((name, found) for name in names if (found := _lock(name)) is not None)
    except LocksUnavailable:
        handle, unique = tempfile.mkstemp(prefix=PART, dir=target.parent)
        return Path(unique), None, handle
    for other in itertools.islice(names, _CHECKED_NAMES):
        _remove_leftover(other)
    return path, locked, locked.handle


def part_name(name: str) -> str:
    """The name of what is incomplete, for a name that it will have."""
    return f"{PART}{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


def _name(target: Path, number: int = 0) -> Path:
    return target.parent / f"{part_name(target.name)}{number or ''}"


def _remove_leftover(path: Path) -> None:
    with suppress(LocksUnavailable):
        locked = _lock(path) if path.exists() else None
        if locked is not None:
            locked.close()
            path.unlink(missing_ok=True)
            locked.release()


def _lock(path: Path) -> Optional[LockedFile]:
    for attempt in range(_ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return open_locked(path)
        except FileNotFoundError:  # the folder was empty, and has just been removed
            if attempt + 1 == _ATTEMPTS:
                raise
    return None
