"""Working directories of ended versions: which ones stay (`local_keep`), how large they are, removing the others.

All directories in the folder of a version belong to its nodes: code, `/cache`, `/tmp`, packages. The files beside them
are what the service keeps of it: logs, metrics and the record of its end.
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import shutil
import time
from collections.abc import Collection
from pathlib import Path

import attrs

from modelarts._settings.keep import Keep
from modelarts._wire.v1.status import COMPLETED
from modelarts.local import locks
from modelarts.local.paths import LocalHome
from modelarts.local.stepping import SteppingThread
from modelarts.local.store import Store, now
from modelarts.local.store.records import VersionEnd

INTERVAL = 600.0  # seconds between looks for directories whose time has passed
DELAY = 1.0  # seconds from the end of a version to a look
_PATIENCE = 1.0  # seconds in which the supervisor of an ended version exits

logger = logging.getLogger("modelarts.local")


@attrs.frozen
class WorkingDirectories:
    """The working directories of one version that has ended.

    Args:
        version_id: the version.
        folders: the directories; none if they were removed before.
        row: the version; `None` if it was deleted, and its folder could not be removed.
        kept: whether a rule keeps them.
    """

    version_id: int
    folders: tuple[Path, ...]
    row: VersionEnd | None
    kept: bool

    def size(self) -> int:
        """Bytes on the disk; a file with several names counts once."""
        found: dict[tuple[int, int], int] = {}
        for folder in self.folders:
            for path, directories, files in os.walk(folder):
                for name in (".", *directories, *files):
                    try:
                        status = os.lstat(os.path.join(path, name))  # noqa: PTH118  ten times as fast as Path
                    except OSError:  # removed meanwhile
                        continue
                    found[status.st_dev, status.st_ino] = status.st_blocks * 512
        return sum(found.values())

    def remove(self) -> None:
        """Remove them. Raises `OSError` for what cannot be removed."""
        for folder in self.folders:
            remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder of any depth, with what a script made read-only, or the file in its place.

    Raises:
        OSError: it does not exist, or something cannot be removed.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
        return
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:  # another process removes it, too
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        _flatten(folder)
        remove_tree(folder)
    except PermissionError:
        _make_writable(folder)
        shutil.rmtree(folder)


def of_ended_versions(
    home: LocalHome, store: Store, keep: Keep, without: Collection[int] = ()
) -> list[WorkingDirectories]:
    """The working directories of all versions that have ended, oldest version first.

    Args:
        home: of the service.
        store: of the service.
        keep: the rules of `local_keep`.
        without: ids of versions to leave out.
    """
    # Folders first, rows second: a version has its row before its folder, so that none is taken for a deleted one.
    found = {number: _directories(home.job(number).root) for number in _numbers(home) if number not in without}
    rows = store.jobs.ends(found)
    ended = [number for number in found if number not in rows or rows[number].status.ended]
    ended = [number for number in ended if not found[number] or _has_exited(home.job(number).alive)]
    in_order = sorted((row.end_time or 0, row.id) for row in map(rows.get, ended) if row and found[row.id])
    newest = {number for _, number in in_order[max(0, len(in_order) - keep.newest) :]}
    return [
        WorkingDirectories(number, found[number], row, row is not None and (number in newest or _is_kept(row, keep)))
        for number, row in ((number, rows.get(number)) for number in ended)
    ]


def _is_kept(row: VersionEnd, keep: Keep) -> bool:
    within = keep.seconds is not None and (row.end_time or 0) >= now() - keep.seconds * 1000
    return keep.everything or within or (keep.failed and row.status != COMPLETED)


def _numbers(home: LocalHome) -> list[int]:
    """The ids of the versions that have a folder."""
    try:
        names = os.listdir(home.jobs)  # noqa: PTH208
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdecimal())


def _directories(folder: Path) -> tuple[Path, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _has_exited(lock: Path) -> bool:
    """Whether the supervisor has exited; after the end of a version it does so soon."""
    deadline = time.monotonic() + _PATIENCE
    while locks.is_held(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _flatten(folder: Path) -> None:
    """Move all folders below a folder to its first level, however deep they are."""
    top = os.open(folder, os.O_RDONLY)
    try:
        names = [entry.name for entry in os.scandir(top) if entry.is_dir(follow_symlinks=False)]
        unused = (f".{secrets.token_hex(8)}-{number}" for number in itertools.count())
        for name in names:  # it grows meanwhile
            inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=top)
            try:
                for entry in [*os.scandir(inner)]:
                    if entry.is_dir(follow_symlinks=False):
                        names.append(next(unused))
                        os.rename(entry.name, names[-1], src_dir_fd=inner, dst_dir_fd=top)
            finally:
                os.close(inner)
    finally:
        os.close(top)


def _make_writable(folder: Path) -> None:
    folder.chmod(0o700)
    for path, directories, _ in os.walk(folder):
        for name in directories:
            entry = Path(path, name)
            if not entry.is_symlink():
                entry.chmod(0o700)


class Cleaner:
    """Removes the working directories that no rule keeps, when a version ends and while the service runs."""

    def __init__(self, home: LocalHome, store: Store, keep: Keep) -> None:
        self._home = home
        self._store = store
        self._keep = keep
        self._done: set[int] = set()  # versions that need no other look
        self._due = 0.0  # when to look after versions have ended; 0: none has
        self._thread = SteppingThread("cleaner", self.step)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._thread.close()

    def wake(self) -> None:
        """Look soon: a version has ended. The next ones start at once, and have priority."""
        self._due = self._due or time.monotonic() + DELAY
        self._thread.wake()

    def step(self) -> float:
        """Remove what no rule keeps. Returns the seconds until the next look."""
        if (pause := self._due - time.monotonic()) > 0:
            return pause
        self._due = 0.0
        for found in of_ended_versions(self._home, self._store, self._keep, self._done):
            if found.kept or found.row is None:  # `modelarts local clean` removes what is left of deleted versions
                continue
            try:
                found.remove()
            except OSError as error:
                logger.warning("%s cannot be removed: %s", error.filename, error.strerror)
            self._done.add(found.version_id)
        return INTERVAL
