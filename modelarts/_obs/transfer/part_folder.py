"""Incomplete folders: filled under a name that nobody lists, then renamed; what a killed process left is removed.

As with part files, the name depends on the target alone, and whoever fills one holds a lock on it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Optional

from modelarts._obs import tree
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
    def create(cls, target: Path) -> Optional[PartFolder]:
        """An empty folder beside a target, where all folders above exist.

        Returns:
            `None` if another process fills it, or if folders have no locks.

        Raises:
            OSError: it cannot be created, or what a killed process left cannot be removed.
        """
        path = _beside(target)
        with suppress(FileExistsError):
            path.mkdir()
        lock = lock_folder(path)
        if lock is None:
            with suppress(OSError):  # another process is filling it
                path.rmdir()
            return None
        folder = cls(path, lock)
        try:
            for entry in list(path.iterdir()):
                tree.remove(entry)
        except BaseException:
            folder._release()
            raise
        return folder

    def put_in_place(self, target: Path) -> None:
        """Rename it to its target, which must not exist. Raises `OSError`."""
        self.path.rename(target)
        self._release()

    def remove(self) -> None:
        """Delete it with all that is in it. Raises `OSError`."""
        try:
            tree.remove(self.path)
        finally:
            self._release()

    def _release(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def remove_leftover(target: Path) -> None:
    """Delete what a killed process left beside a target, if anything and if possible."""
    path = _beside(target)
    lock = lock_folder(path)
    if lock is not None:
        with suppress(OSError):
            PartFolder(path, lock).remove()


def _beside(target: Path) -> Path:
    return target.parent / f"{part_name(target.name)}-folder"
