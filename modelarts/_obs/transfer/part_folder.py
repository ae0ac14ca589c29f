"""Folders that nobody lists, for what is incomplete; what a killed process left is removed.

As with part files, the name depends on the target alone, and whoever fills one holds a lock on it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from modelarts._obs import tree
from modelarts._obs.paths import PART
from modelarts._obs.transfer.locked_file import lock_folder
from modelarts._obs.transfer.part_file import part_name


class PartFolder:
    """A folder that this process alone fills.

    Args:
        path: the folder.
        lock: the descriptor that holds the lock on it.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, path: Path) -> PartFolder:
        """An empty folder, where all folders above exist.

        Args:
            path: one of `beside` or `within`.

        Raises:
            BlockingIOError: another process fills it, or folders have no locks.
            OSError: it cannot be created, or what a killed process left cannot be removed.
        """
        with suppress(FileExistsError):
            path.mkdir()
        lock = lock_folder(path)
        if lock is None:
            with suppress(OSError):  # another process is filling it
                path.rmdir()
            raise BlockingIOError
        folder = cls(path, lock)
        try:
            for entry in list(path.iterdir()):
                tree.remove(entry)
        except BaseException:
            folder._release()
            raise
        return folder

    def remove(self) -> None:
        """Delete it with all that is in it, as far as that is possible."""
        with suppress(OSError):
            tree.remove(self.path)
        self._release()

    def _release(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def remove_leftovers(target: Path) -> None:
    """Delete what killed processes left beside and within a folder, if anything and if possible."""
    for path in (beside(target), within(target)):
        lock = lock_folder(path)
        if lock is not None:
            PartFolder(path, lock).remove()


def beside(target: Path) -> Path:
    """Such a folder for another one that does not exist yet."""
    return target.parent / f"{part_name(target.name)}-folder"


def within(target: Path) -> Path:
    """Such a folder for another one that exists; beside it there may be another file system."""
    return target / f"{PART}files"
