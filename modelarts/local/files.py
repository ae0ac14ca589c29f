"""Files in folders that jobs can write to: how they are written, and the one way to open what a job may have put there.

They are written under another name and then renamed: readers see the complete old or new content. They are opened only
if they are regular files, no links, and without waiting, as opening a pipe would.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from io import FileIO
from typing import BinaryIO, Union

JSON_BYTES = 16 << 20  # of the largest file that is read: the spec of a version with very many nodes has some megabytes
NOTHING_THERE = (FileNotFoundError, NotADirectoryError)
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class NotRegular(OSError):
    """There is something else than a regular file, or one that is larger than what is read of it."""


def open_regular(path: Union[str, os.PathLike[str]]) -> BinaryIO:
    """Open a file for reading. Raises `NotRegular`, also for a link, or another `OSError`."""
    return open(path, "rb", opener=_regular)


def open_to_append(path: Union[str, os.PathLike[str]]) -> FileIO:
    """Open a file for appending and reading, and create it if there is none. Raises `NotRegular` or `OSError`."""
    return FileIO(os.fspath(path), "ab+", opener=_regular)


def read(path: Union[str, os.PathLike[str]], most: int) -> bytes:
    """The content of a file. Raises `NotRegular`, also for more than so many bytes, or another `OSError`."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise NotRegular(errno.EFBIG, f"has more than {most} bytes", os.fspath(path))
    return content


def _regular(path: str, flags: int) -> int:
    cautious = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not above: Windows, where this is imported, lacks them
    try:
        descriptor = os.open(path, flags | cautious, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):  # a link, a socket or a pipe, a folder
            raise NotRegular(errno.EINVAL, "is not a regular file", path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "is not a regular file", path)
    return descriptor


def no_content(folder: str, names: list[str]) -> list[str]:
    """The entries of a folder that are no part of its content, for `shutil.copytree`.

    They are pipes, sockets, devices, broken links, and links to folders that contain them.
    """
    return [name for name in names if not _is_content(folder, os.path.join(folder, name))]


def _is_content(folder: str, path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    if not stat.S_ISDIR(mode):
        return stat.S_ISREG(mode)
    is_circle = os.path.islink(path) and f"{os.path.realpath(folder)}/".startswith(f"{os.path.realpath(path)}/")
    return not is_circle


def is_shortage(error: OSError) -> bool:
    """Whether an error says nothing about the file: this process or machine lacks descriptors or memory."""
    return error.errno in _SHORTAGES


def make_folders(path: str) -> None:
    """Create a folder and those above it, of any depth: `os.makedirs` calls itself for each. Raises `OSError`."""
    missing = []
    with contextlib.suppress(FileNotFoundError):
        os.stat(path)  # nothing is created if the path is too long
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path.rstrip("/"))
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process has just created it
            os.mkdir(folder)
    if missing and not os.path.isdir(missing[0]):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), missing[0])


def write(path: Union[str, os.PathLike[str]], content: bytes) -> None:
    """Replace the content of a file, or create it; only this user may read it. Raises `OSError`."""
    temporary = f"{os.fspath(path)}.{os.getpid()}-{threading.get_ident()}.part"
    try:
        with open(temporary, "wb", opener=_private) as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _private(path: str, flags: int) -> int:
    flags |= os.O_EXCL | os.O_NOFOLLOW  # what a job may have put there is not written to
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:  # or this thread of an earlier process with this pid was killed
        os.unlink(path)
        return os.open(path, flags, 0o600)
