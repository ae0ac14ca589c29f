"""The files of a local folder, in the order of their keys; links are followed, except those that form a circle."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Union

from modelarts._obs.paths import PART

logger = logging.getLogger("modelarts")

_DOES_NOT_EXIST = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

_CHANGED_MEANWHILE = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_ATTEMPTS = 20

_FolderId = tuple[int, int]  # device and inode: the same for all names of a folder


def walk(folder: Path, enter: Callable[[Path], bool] = lambda path: True, empty: bool = False) -> Iterator[Path]:
    """All files in a folder and in its folders.

    Links are followed, to folders too. A link to a folder that contains it is skipped with a warning. Pipes, sockets,
    broken links, and incomplete files and folders are skipped.

    Args:
        folder: the folder to start from.
        enter: whether to walk a folder inside it.
        empty: whether to yield empty folders, too.

    Raises:
        OSError: something cannot be read.
    """
    around: list[tuple[_FolderId, Iterator[tuple[Path, bool]]]] = [(_identity(folder), iter(entries(folder)))]
    while around:
        path, is_folder = next(around[-1][1], (None, False))
        if path is None:
            around.pop()
        elif not is_folder:
            yield path
        elif enter(path):
            try:
                identity, found = _identity(path), entries(path)
                is_empty_folder = empty and not found and is_empty(path)
            except FileNotFoundError:  # it has just been deleted
                continue
            if any(identity == outer for outer, _ in around):
                _warn(path)
                continue
            if is_empty_folder:
                yield path
            around.append((identity, iter(found)))


def folders(top: str) -> Iterator[tuple[str, list[str]]]:
    """The same files, folder by folder, each folder before those in it.

    Yields:
        The path of a folder below `top` (empty, or with a slash at its end), and the names of its files.

    Raises:
        OSError: something cannot be read.
    """
    around: list[tuple[str, str, tuple[_FolderId, ...]]] = [(top, "", (_identity(top),))]
    while around:
        path, inside, above = around.pop()
        try:
            found = _names(path)
        except FileNotFoundError:
            if not inside:
                raise
            continue  # it has just been deleted
        yield inside, [name for name, is_folder in found if not is_folder]
        for name in (name for name, is_folder in reversed(found) if is_folder):
            with suppress(FileNotFoundError):
                identity = _identity(f"{path}/{name}")
                if identity in above:
                    _warn(Path(path, name))
                else:
                    around.append((f"{path}/{name}", f"{inside}{name}/", (*above, identity)))


def by_folder(top: Path, files: Iterable[Path]) -> Iterator[tuple[str, list[str]]]:
    """Some files below a folder, as `folders` yields them."""
    found: dict[str, list[str]] = {}
    for file in files:
        above, slash, name = file.relative_to(top).as_posix().rpartition("/")
        found.setdefault(above + slash, []).append(name)
    yield from sorted(found.items())


def children(folder: Path) -> Iterator[Path]:
    """The files and folders in a folder, in the order of keys. Raises `OSError`."""
    return (path for path, _ in entries(folder))


def has_objects(folder: Path) -> bool:
    """Whether there are files, or empty folders, in a folder or below it. Raises `OSError`."""
    with os.scandir(folder) as found:  # nearly always, there is a file at once: no need to sort thousands of names
        if any(entry.is_file(follow_symlinks=False) and not entry.name.startswith(PART) for entry in found):
            return True
    return next(walk(folder, empty=True), None) is not None


def entries(folder: Path) -> list[tuple[Path, bool]]:
    """The files and folders in a folder, each with whether it is a folder, in the order of keys. Raises `OSError`."""
    return [(folder / name, is_folder) for name, is_folder in _names(folder)]


def remove(path: Path) -> None:
    """Delete a file, or a folder with everything in it, also while others create or delete files there.

    Raises `OSError`.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            if not left or error.errno not in _CHANGED_MEANWHILE:
                raise
        else:
            return


def is_empty(folder: Path) -> bool:
    """Whether a folder has no entries at all. Raises `OSError`."""
    with os.scandir(folder) as found:
        return next(found, None) is None


def status_or_none(path: Path) -> os.stat_result | None:
    """The result of `stat`, or `None` for what does not exist. Raises `OSError`."""
    try:
        return path.stat()
    except OSError as error:
        if error.errno in _DOES_NOT_EXIST:
            return None
        raise


def _names(folder: Union[str, Path]) -> list[tuple[str, bool]]:
    with os.scandir(folder) as found:
        kinds = [(entry.name, _kind(entry)) for entry in found if not entry.name.startswith(PART)]
    kept = [(name, stat.S_ISDIR(kind)) for name, kind in kinds if stat.S_ISDIR(kind) or stat.S_ISREG(kind)]
    kept.sort(key=lambda entry: os.fsencode(f"{entry[0]}/" if entry[1] else entry[0]))
    return kept


def _kind(entry: os.DirEntry[str]) -> int:
    """The mode of an entry or of what it links to; 0 for a broken link."""
    if not entry.is_symlink():
        return stat.S_IFDIR if entry.is_dir() else stat.S_IFREG if entry.is_file() else 0
    try:
        return entry.stat().st_mode
    except OSError as error:
        if error.errno not in _DOES_NOT_EXIST:
            raise
        if error.errno == errno.ELOOP:
            _warn(Path(entry.path))
        return 0


def _identity(folder: Union[str, Path]) -> _FolderId:
    status = os.stat(folder)  # noqa: PTH116  a text is quicker than a Path
    return status.st_dev, status.st_ino


def _warn(path: Path) -> None:
    logger.warning("%s is skipped: it is a link to a folder that contains it", path)
