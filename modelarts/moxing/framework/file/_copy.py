"""Copies of local files; buckets that are folders are local files, too.

The kernel copies large files, where it can by sharing their content. A new file has no name until it is complete, where
the file system has such files: so nothing is left of one, however the process ends.
"""

import contextlib
import errno
import os
import threading

from ._part import give_name, in_folder, part_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional

_SMALL = 1 << 17  # bytes; to hand such a file to another thread takes longer than to copy it
_STEP = 1 << 26  # bytes that the kernel copies at once
_CHUNK = 1 << 20
_UNABLE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | _CLOEXEC
_O_TMPFILE = getattr(os, "O_TMPFILE", 0)


def copy_file(source: str, target: str) -> None:
    """Copy the content of a file; the target appears when it is complete. Folders above it are created."""
    if not _copy_small(source, target):
        _copy(source, target)


def copy_files(pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
    """Copy files, several at once if they are large.

    Args:
        threads: how many at once; 0 and 1: one after the other.
    """
    _copy_large([pair for pair in pairs if not _copy_small(*pair)], threads)


def copy_new_folder(source: str, target: str, folders: "list[str]", files: "list[str]", threads: int) -> bool:
    """Copy what is in a folder to one that does not exist yet, which appears when it is complete.

    Files need no other name meanwhile, so that this is quick.

    Args:
        folders, files: their paths below both; a folder is before what is in it.
        threads: as for `copy_files`.

    Returns:
        False if the folder has been created by somebody else, who may need what is in it.
    """
    import shutil  # takes time, and jobs that copy nothing do not need it

    part = part_of(target.rstrip("/"))
    in_folder(part, lambda: os.mkdir(part))
    try:
        for folder in folders:
            os.mkdir(f"{part}/{folder}")
        pairs = [(f"{source}/{name}", f"{part}/{name}") for name in files]
        _copy_large([pair for pair in pairs if not _copy_to_own(*pair)], threads)
        os.rename(part, target.rstrip("/"))
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError) and os.path.lexists(target):
            return False
        raise
    return True


def _copy_large(left: "list[tuple[str, str]]", threads: int) -> None:
    left.reverse()
    failures = []  # type: list[BaseException]
    others = [
        threading.Thread(target=_work, args=(left, failures), daemon=True)
        for _ in range(min(threads, len(left), os.cpu_count() or 1) - 1)
    ]
    for thread in others:
        thread.start()
    try:
        _work(left, failures)
        for thread in others:
            thread.join()
    finally:
        left.clear()  # if this was interrupted, they end after their file
    if failures:
        raise failures[0]


def _work(left: "list[tuple[str, str]]", failures: "list[BaseException]") -> None:
    while True:
        try:
            source, target = left.pop()
        except IndexError:
            return
        try:
            _copy(source, target)
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that called
            failures.append(error)
            left.clear()


def _copy_small(source: str, target: str) -> bool:
    """Copy a small file to a new one in a folder that exists. Returns whether it did: most files are such ones."""
    chunk = _small_content(source) if _O_TMPFILE else None
    if chunk is None:
        return False
    try:
        new = os.open(os.path.dirname(target) or ".", _O_TMPFILE | _NEW, 0o666)
    except OSError:
        return False
    try:
        return os.write(new, chunk) == len(chunk) and _give_name(new, target)
    finally:
        os.close(new)


def _copy_to_own(source: str, target: str) -> bool:
    """Copy a small file to a new one in a folder that nobody else knows. Returns whether it is a small one."""
    chunk = _small_content(source)
    if chunk is None:
        return False
    new = os.open(target, os.O_CREAT | os.O_EXCL | _NEW, 0o666)
    try:
        while chunk:
            chunk = chunk[os.write(new, chunk) :]
    finally:
        os.close(new)
    return True


def _small_content(source: str) -> "Optional[bytes]":
    content = os.open(source, os.O_RDONLY | _CLOEXEC)
    try:
        chunk = os.read(content, _SMALL)
        return None if len(chunk) == _SMALL or os.read(content, 1) else chunk
    finally:
        os.close(content)


def _copy(source: str, target: str) -> None:
    content = os.open(source, os.O_RDONLY | _CLOEXEC)
    try:
        status = os.fstat(content)
        there: Optional[os.stat_result] = None
        with contextlib.suppress(OSError):
            there = os.stat(target)
        is_same = there is not None and os.path.samestat(status, there)
        if not is_same and not _copy_unnamed(content, target, there is not None):
            _copy_part(content, target)
    finally:
        os.close(content)


def _copy_unnamed(content: int, target: str, exists: bool) -> bool:
    """Copy to a file that gets its name at the end. Returns whether that was possible."""
    folder = os.path.dirname(target) or "."
    try:
        new = _O_TMPFILE and in_folder(target, lambda: os.open(folder, _O_TMPFILE | _NEW, 0o666))
    except OSError:  # the file system has no such files; or nothing can be created, as is reported by what follows
        return False
    if not new:
        return False
    try:
        _fill(content, new)
        return (not exists and _give_name(new, target)) or _replace(new, target)
    finally:
        os.close(new)


def _replace(new: int, target: str) -> bool:
    part = part_of(target)
    if not _give_name(new, part):
        return False
    _put_in_place(part, target)
    return True


def _give_name(new: int, path: str) -> bool:
    try:
        give_name(new, path)
    except OSError:  # it exists, or there is no /proc
        return False
    return True


def _copy_part(content: int, target: str) -> None:
    """Copy to a file beside the target, then rename it."""
    part = part_of(target)
    os.lseek(content, 0, os.SEEK_SET)
    new = in_folder(target, lambda: os.open(part, os.O_CREAT | os.O_EXCL | _NEW, 0o666))
    try:
        try:
            _fill(content, new)
        finally:
            os.close(new)
    except BaseException:
        os.unlink(part)
        raise
    _put_in_place(part, target)


def _put_in_place(part: str, target: str) -> None:
    try:
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # it was replaced, then this was interrupted
            os.unlink(part)
        raise


def _fill(content: int, new: int) -> None:
    try:
        while _by_kernel(content, new, _STEP):
            pass
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    # What is left: all of it, what was appended meanwhile, or the content of a file that pretends to have none (/proc).
    chunk = os.read(content, _CHUNK)
    while chunk:
        view = memoryview(chunk)
        while view:
            view = view[os.write(new, view) :]
        chunk = os.read(content, _CHUNK)


def _by_kernel(source: int, target: int, count: int) -> int:
    if hasattr(os, "copy_file_range"):
        return os.copy_file_range(source, target, count)
    if hasattr(os, "sendfile"):  # Python 3.7 and older
        sendfile: Any = os.sendfile
        return sendfile(target, source, None, count)  # type: ignore[no-any-return]
    return 0
