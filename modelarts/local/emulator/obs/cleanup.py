"""Files that are not whole and that nobody writes any more, as whoever was killed leaves them."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from modelarts._obs.paths import PART


def sweep(top: Path) -> None:
    """Remove them from a folder and all below it. A service does so before it writes any itself."""
    for folder, _, names in os.walk(top):
        for name in names:
            if name.startswith(PART):
                remove(Path(folder, name))


def remove(file: Path) -> None:
    """Remove such a file, unless another process holds it, as local sessions do, or it cannot be known."""
    with suppress(OSError):
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), file.lstat()):
                file.unlink()
        finally:
            os.close(handle)
