"""The record of how a version ended, which is renamed into place.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

_SIZE = 4096


def reserve(path: str) -> None:
    """Allocate the record of the end now, in case the disk is full then."""
    with open(f"{path}.part", "wb") as file:
        file.write(b" " * _SIZE)


def store(path: str, record: dict[str, Any]) -> None:
    """Write the record, also if a script has put something else in its place. Raises `OSError`."""
    try:
        _store(path, f"{path}.part", record)
    except OSError:
        unused = f"{path}.{time.time_ns()}"
        if os.path.isdir(path) and not os.path.islink(path):
            os.rename(path, f"{unused}.found")
        _store(path, unused, record)


def _store(path: str, part: str, record: dict[str, Any]) -> None:
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "r+b") as file:
        file.write(json.dumps(record).encode())
        file.flush()
        file.truncate()
        os.fsync(file.fileno())
    os.replace(part, path)
