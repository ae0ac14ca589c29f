"""Notices when the home of the running service is removed or moved, or when another service may use it."""

from __future__ import annotations

import enum
import os
from pathlib import Path

from modelarts.local.paths import LocalHome

INTERVAL = 1.0  # seconds between looks


class Home(enum.Enum):
    """What has become of a home."""

    SAME = "same"
    GONE = "gone"  # it was removed or moved, with the folders of all versions
    UNLOCKED = "unlocked"  # the lock file was removed, so that another service can start


class HomeWatch:
    """Compares the paths of a home with what the service has opened at its start.

    Args:
        paths: of the service.
        lock: descriptor of the lock file that it holds.
    """

    def __init__(self, paths: LocalHome, lock: int) -> None:
        self._paths = paths
        self._lock = lock
        self._root = os.open(paths.root, os.O_RDONLY | os.O_DIRECTORY)

    def look(self) -> Home:
        """What has become of the home; an error that says nothing about it counts as no change."""
        if not _is_same(self._paths.root, self._root):
            return Home.GONE
        if _is_same(self._paths.running, self._lock):
            return Home.SAME
        return Home.UNLOCKED if self._paths.store.exists() else Home.GONE


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
