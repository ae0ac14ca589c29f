"""The record of how a version ended, which is renamed into place.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import json
import os
from typing import Any

_SIZE = 4096


def reserve(path: str) -> None:
    """Allocate the record of the end now, in case the disk is full then."""
    with open(f"{path}.part", "wb") as file:
        file.write(b" " * _SIZE)


def store(path: str, record: dict[str, Any]) -> None:
    """Write the record. Raises `OSError`."""
    descriptor = os.open(f"{path}.part", os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file:
        file.write(json.dumps(record).encode())
        file.flush()
        file.truncate()
        os.fsync(file.fileno())
    os.replace(f"{path}.part", path)
