"""State of unfinished transfers, in `<home>/transfers`: another process can resume one where it was interrupted."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from modelarts._obs.transfer.locked_file import LockedFile, LocksUnavailable, open_locked

logger = logging.getLogger("modelarts")

_NOT_KEPT = "%s: %s; a transfer that is interrupted will start from the beginning"
_CHUNK = 1 << 20


def exists(folder: Path, *identity: str) -> bool:
    """Whether an earlier transfer left its state."""
    return os.path.exists(_path(folder, identity))  # noqa: PTH110  false, too, where access is denied


def _path(folder: Path, identity: tuple[str, ...]) -> Path:
    name = hashlib.sha256("\0".join(identity).encode(errors="surrogateescape")).hexdigest()[:32]
    return folder / f"{name}.jsonl"


class ResumeState:
    """The state of one transfer as lines of JSON: a header, then each part that is complete.

    One transfer at a time owns it. A second one of the same file, or one that cannot write here, keeps no state and
    starts from the beginning if it is interrupted. Nothing here raises: a transfer can do without.

    Args:
        folder: where states are kept.
        identity: texts that tell this transfer from others.
    """

    def __init__(self, folder: Path, *identity: str) -> None:
        self._path = _path(folder, identity)
        self._guard = threading.Lock()
        self._file: Optional[LockedFile] = self._open()

    @property
    def is_ours(self) -> bool:
        """Whether this transfer keeps its state."""
        return self._file is not None

    def read(self) -> tuple[dict[str, Any], dict[int, str]]:
        """The header and the MD5 of each complete part; both are empty for a new transfer."""
        header: dict[str, Any] = {}
        parts: dict[int, str] = {}
        if self._file is not None:
            valid = 0
            for line in _content(self._file.handle).splitlines(keepends=True):
                try:
                    entry = json.loads(line)
                    if not valid:
                        header = dict(entry)
                    else:
                        parts[int(entry[0])] = str(entry[1])
                except (ValueError, TypeError, IndexError):  # interrupted while it was written
                    break
                valid += len(line)
            os.ftruncate(self._file.handle, valid)
        return header, parts

    def begin(self, header: dict[str, Any]) -> None:
        """Replace everything by the header of a new transfer."""
        self._write(header, replace=True)

    def done(self, number: int, digest: str) -> None:
        """Add a complete part."""
        self._write([number, digest])

    def remove(self) -> None:
        """Delete the state: the transfer is complete."""
        with self._guard:
            self._forget()

    def close(self) -> None:
        """Keep the state for a transfer that resumes this one."""
        with self._guard:
            if self._file is not None:
                self._file.release()
                self._file = None

    def _write(self, entry: Any, replace: bool = False) -> None:
        with self._guard:
            if self._file is None:
                return
            line = json.dumps(entry).encode() + b"\n"
            try:
                if replace:
                    os.ftruncate(self._file.handle, 0)
                os.lseek(self._file.handle, 0, os.SEEK_END)
                if os.write(self._file.handle, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:  # such as a full disk
                logger.warning(_NOT_KEPT, self._path, error.strerror)
                self._forget()

    def _forget(self) -> None:
        if self._file is not None:
            self._file.close()
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._file.release()
            self._file = None

    def _open(self) -> Optional[LockedFile]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return open_locked(self._path)
        except LocksUnavailable:
            return None
        except OSError as error:
            logger.warning(_NOT_KEPT, self._path, error.strerror)
            return None


def _content(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    return b"".join(iter(lambda: os.read(handle, _CHUNK), b""))
