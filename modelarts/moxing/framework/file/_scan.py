"""Local folders: what is in them, how large it is, and deleting it."""

import errno
import os
import stat

from ._location import Entry, Status
from ._part import PART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

_ATTEMPTS = 20
_MEMBERS = [name for name in dir(os.stat_result) if name.startswith("st_")]
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def status_or_none(path: str) -> "Optional[os.stat_result]":
    """The result of `os.stat`, or `None` for what does not exist."""
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        if isinstance(error, OSError) and error.errno not in _MISSING:
            raise
        return None


def status_of(found: os.stat_result, in_bucket: bool = False) -> Status:
    """The same for users; a folder of a bucket has no length."""
    is_folder = stat.S_ISDIR(found.st_mode)
    status = Status(0 if is_folder and in_bucket else found.st_size, found.st_mtime_ns, is_folder)
    if not in_bucket:
        for name in _MEMBERS:
            setattr(status, name, getattr(found, name))
    return status


def scan(folder: str, recursive: bool, in_bucket: bool = False) -> "Iterator[Entry]":
    """The content of a folder; links are followed, except those that form a circle.

    Args:
        in_bucket: leave out what no bucket contains: pipes, sockets, broken links, incomplete files and folders.
    """
    around = [(folder, "", (_identity(folder),))]  # type: list[tuple[str, str, tuple[tuple[int, int], ...]]]
    while around:
        path, before, above = around.pop()
        with os.scandir(path) as found:
            for item in found:
                is_folder = _is_folder(item)
                if in_bucket and (item.name.startswith(PART) or not (is_folder or item.is_file())):
                    continue
                yield Entry(before + item.name, is_folder)
                if recursive and is_folder:
                    identity = _identity(item.path) if item.is_symlink() else None
                    if identity is None or identity not in above:
                        around.append((item.path, f"{before}{item.name}/", (*above, identity or _identity(item.path))))


def _is_folder(item: "os.DirEntry[str]") -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(path: str) -> "tuple[int, int]":
    found = os.stat(path)
    return found.st_dev, found.st_ino


def total(folder: str) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for entry in scan(folder, recursive=True, in_bucket=True):
        if not entry.is_folder:
            found = status_or_none(os.path.join(folder, entry.name))
            total += found.st_size if found else 0
    return total


def remove_tree(path: str) -> None:
    """Delete a folder, also while others create or delete files there."""
    import shutil

    for attempt in range(_ATTEMPTS):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if not os.path.lexists(path):
                return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt + 1 == _ATTEMPTS:
                raise
        else:
            return
