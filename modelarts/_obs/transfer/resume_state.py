"""Records of transfers that are not over, in `<home>/transfers`: another process can go on where one ended."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Optional

logger = logging.getLogger("modelarts")

_NO_RECORD = "%s: %s; a transfer that is cut off will begin anew"


def exists(folder: Path, *identity: str) -> bool:
    """Whether an earlier transfer left a record."""
    return os.path.exists(_place(folder, identity))  # noqa: PTH110  false, too, where nobody may look


def _place(folder: Path, identity: tuple[str, ...]) -> Path:
    name = hashlib.sha256("\0".join(identity).encode(errors="surrogateescape")).hexdigest()[:32]
    return folder / f"{name}.jsonl"


class Record:
    """One transfer, as lines of JSON: what it is, then each part that is done.

    It belongs to one transfer at a time; a second one of the same file, or one that cannot write there, gets no
    record and simply begins anew. Nothing here raises: a transfer can do without.
    """

    def __init__(self, folder: Path, *identity: str) -> None:
        self._path = _place(folder, identity)
        self._lock = threading.Lock()
        self._file: Optional[IO[bytes]] = self._opened()

    @property
    def is_ours(self) -> bool:
        """Whether this is kept."""
        return self._file is not None

    def read(self) -> tuple[dict[str, Any], dict[int, str]]:
        """What was begun, and the parts that were done by then, each with its MD5; both empty for a new transfer."""
        head: dict[str, Any] = {}
        parts: dict[int, str] = {}
        if self._file is not None:
            whole = 0
            self._file.seek(0)
            for line in self._file.read().splitlines(keepends=True):
                try:
                    entry = json.loads(line)
                    if not whole:
                        head = dict(entry)
                    else:
                        parts[int(entry[0])] = str(entry[1])
                except (ValueError, TypeError, IndexError):  # cut off while it was written
                    break
                whole += len(line)
            self._file.truncate(whole)
        return head, parts

    def begin(self, head: dict[str, Any]) -> None:
        """Forget what was, and note what begins."""
        self._add(head, anew=True)

    def done(self, number: int, digest: str) -> None:
        """Note a part."""
        self._add([number, digest])

    def remove(self) -> None:
        """The transfer is over."""
        with self._lock:
            if self._file is not None:
                self._forget()

    def close(self) -> None:
        """Leave the record to whoever goes on."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _add(self, entry: Any, anew: bool = False) -> None:
        with self._lock:
            if self._file is None:
                return
            try:
                if anew:
                    self._file.truncate(0)
                line = json.dumps(entry).encode() + b"\n"
                if self._file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:  # a full disk, for one
                logger.warning(_NO_RECORD, self._path, error.strerror)
                self._forget()

    def _forget(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()
        self._file = None

    def _opened(self) -> Optional[IO[bytes]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._path.open("a+b", buffering=0)  # so that closing it writes nothing
        except OSError as error:
            logger.warning(_NO_RECORD, self._path, error.strerror)
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_nlink:
                return file
        except OSError:
            pass
        file.close()  # another transfer has it, or has just ended with it
        return None
