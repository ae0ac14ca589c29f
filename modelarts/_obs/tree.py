"""The files of a local folder, in the order that their keys have; links are followed, but never in circles."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from modelarts._obs.paths import PART

logger = logging.getLogger("modelarts")

_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

_MEANWHILE = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_ATTEMPTS = 20

_Place = tuple[int, int]  # device and inode: what a folder is, by whatever name


def walk(folder: Path, enter: Callable[[Path], bool] = lambda path: True, empty: bool = False) -> Iterator[Path]:
    """All files in a folder and in its folders.

    Links are followed, to folders too; a warning names those that lead back to where they lie, and they are left out.
    So are pipes, sockets, links that lead nowhere, and files that are not whole yet.

    Args:
        folder: where it begins.
        enter: whether to look into a folder that lies in it.
        empty: folders with nothing in them are given, too.

    Raises:
        OSError: something cannot be read.
    """
    around: list[tuple[_Place, Iterator[tuple[Path, bool]]]] = [(_place(folder), iter(entries(folder)))]
    while around:
        path, is_folder = next(around[-1][1], (None, False))
        if path is None:
            around.pop()
        elif not is_folder:
            yield path
        elif enter(path):
            try:
                place, found = _place(path), entries(path)
                alone = empty and not found and is_empty(path)
            except FileNotFoundError:  # it has just been removed
                continue
            if any(place == outer for outer, _ in around):
                _warn(path)
                continue
            if alone:
                yield path
            around.append((place, iter(found)))


def entries(folder: Path) -> list[tuple[Path, bool]]:
    """What lies in one folder, each with whether it is a folder, in the order of keys. Raises `OSError`."""
    with os.scandir(folder) as found:
        kinds = [(entry.name, _kind(entry)) for entry in found]
    kept = [(name, stat.S_ISDIR(kind)) for name, kind in kinds if stat.S_ISDIR(kind) or stat.S_ISREG(kind)]
    kept.sort(key=lambda entry: os.fsencode(f"{entry[0]}/" if entry[1] else entry[0]))
    return [(folder / name, is_folder) for name, is_folder in kept if is_folder or not name.startswith(PART)]


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, also while others put files there or take them away.

    Raises `OSError`.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            if not left or error.errno not in _MEANWHILE:
                raise
        else:
            return


def is_empty(folder: Path) -> bool:
    """Whether nothing at all lies in a folder. Raises `OSError`."""
    with os.scandir(folder) as found:
        return next(found, None) is None


def status_of(path: Path) -> os.stat_result | None:
    """What `stat` says of what is there; nothing where no such file can be. Raises `OSError`."""
    try:
        return path.stat()
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise


def _kind(entry: os.DirEntry[str]) -> int:
    """The type of what an entry is or leads to, as `stat` has it; 0 where it leads nowhere."""
    if not entry.is_symlink():
        return stat.S_IFDIR if entry.is_dir() else stat.S_IFREG if entry.is_file() else 0
    try:
        return entry.stat().st_mode
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        if error.errno == errno.ELOOP:
            _warn(Path(entry.path))
        return 0


def _place(folder: Path) -> _Place:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _warn(path: Path) -> None:
    logger.warning("%s is left out: it is a link that leads back to where it lies", path)
