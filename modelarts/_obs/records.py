"""Records of transfers that are not over, in `<home>/transfers`: another process can go on where one ended."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import IO, Any, Optional

logger = logging.getLogger("modelarts")


class Record:
    """One transfer, as lines of JSON: what it is, then each part that is done.

    It belongs to one transfer at a time; a second one of the same file, or one that cannot write there, gets no
    record and simply begins anew.
    """

    def __init__(self, folder: Path, *identity: str) -> None:
        name = hashlib.sha256("\0".join(identity).encode(errors="surrogateescape")).hexdigest()[:32]
        self._path = folder / f"{name}.jsonl"
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
            for line in self._file:
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
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
        self._add(head)

    def done(self, number: int, digest: str) -> None:
        """Note a part."""
        self._add([number, digest])

    def remove(self) -> None:
        """The transfer is over."""
        with self._lock:
            if self._file is not None:
                self._path.unlink(missing_ok=True)
                self._file.close()
                self._file = None

    def close(self) -> None:
        """Leave the record to whoever goes on."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _add(self, entry: Any) -> None:
        with self._lock:
            if self._file is not None:
                self._file.write(json.dumps(entry).encode() + b"\n")
                self._file.flush()

    def _opened(self) -> Optional[IO[bytes]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._path.open("a+b")
        except OSError as error:
            logger.warning("%s: %s; a transfer that is cut off will begin anew", self._path, error.strerror)
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_nlink:
                return file
        except OSError:
            pass
        file.close()  # another transfer has it, or has just ended with it
        return None
