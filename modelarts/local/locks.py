"""Lock files: each is held by one process for as long as it lives; the kernel frees it however the process ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelarts.errors import ServiceError
from modelarts.local import files

NEEDS_LINUX = "the local service needs Linux; on Windows use WSL, on a Mac use Linux in a container or virtual machine"

try:
    if sys.platform != "linux":
        raise ImportError
    import fcntl
except ImportError:
    raise ServiceError(NEEDS_LINUX) from None

PATIENCE = 0.5  # seconds in which probes by others, each of which takes an instant, end


def is_held(path: Path) -> bool:
    """Whether some process holds the lock; one whose file does not exist is free.

    The probe is a shared lock, so that any number of probes at once do not take each other for the holder.

    Raises:
        OSError: this process lacks descriptors or memory.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a job may have put a pipe there
    except ValueError:  # no path at all
        return False
    except OSError as error:
        if files.is_shortage(error):
            raise
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def hold(path: Path, patience: float = PATIENCE) -> int:
    """Take the lock for the life of this process, or of whoever inherits the descriptor.

    Args:
        path: the lock file.
        patience: seconds to wait for another process that holds it.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise
            time.sleep(0.01)
        else:
            return descriptor


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until the lock is free, and hold it inside the `with` statement. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
