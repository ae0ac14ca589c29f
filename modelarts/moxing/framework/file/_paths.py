"""Local files and folders, and buckets that are folders of this machine."""

import contextlib
import errno
import os
import stat

from . import _errors, _part
from ._location import Entry, Location, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Optional

    from ._location import Publish
    from ._urls import Url

_ATTEMPTS = 20
_MEMBERS = [name for name in dir(os.stat_result) if name.startswith("st_")]
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


class LocalPath(Location):
    """A local path. Errors are those of Python."""

    is_local = True
    path = ""

    def __init__(self, path: str) -> None:
        self.url = self.path = path
        self.slash = path.endswith("/")

    def status(self) -> "Optional[Status]":
        found = _stat(self.path)
        return found and _status(found)

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def is_file(self) -> bool:
        return os.path.isfile(self.path)

    def is_folder(self) -> bool:
        return os.path.isdir(self.path)

    def child(self, name: str) -> "Location":
        return LocalPath(os.path.join(self.path, name))

    def entries(self, recursive: bool = False) -> "list[Entry]":
        try:
            return sorted(_scan(self.path, recursive), key=lambda entry: entry.order)
        except FileNotFoundError:
            raise _errors.not_exists(self.url, "folder") from None

    def to_copy(self) -> "list[Entry]":
        return sorted(_scan(self.path, recursive=True, in_bucket=True), key=lambda entry: entry.order)

    def move_to(self, target: "Location") -> bool:
        path = target.path
        if path is None or os.path.isdir(path) or os.path.islink(self.path):
            return False
        if self.is_local and not target.is_local and os.path.isdir(self.path):
            return False  # links in it may be relative
        try:
            _part.in_folder(path, lambda: os.replace(self.path, path))
        except OSError:  # another file system, or what the copy reports
            return False
        return True

    def size(self, recursive: bool) -> int:
        found = _stat(self.path)
        if found is None:
            raise _errors.not_exists(self.url)
        return _total(self.path) if stat.S_ISDIR(found.st_mode) else found.st_size

    def open_binary(self, mode: str) -> "tuple[IO[bytes], Publish]":
        return open(self.path, f"{mode}b", encoding=None), None

    def make_folder(self, parents: bool = True) -> None:
        if parents:
            os.makedirs(self.path, exist_ok=True)
        else:
            os.mkdir(self.path)

    def remove(self, recursive: bool) -> None:
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            if recursive:
                _remove_tree(self.path)
        else:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(self.path)


class BucketPath(LocalPath):
    """A path in a bucket that is the folder `root/bucket`; it behaves as one of OBS.

    A folder exists as long as it has content, or when it was created as one. What is written appears when it is
    complete.
    """

    is_local = False

    def __init__(self, root: str, url: "Url") -> None:
        self._root = root
        self._address = url
        self._bucket = os.path.join(root, url.bucket)
        self.url = str(url)
        self.slash = url.slash
        self.path = os.path.join(self._bucket, *url.key.split("/")) if url.key else self._bucket

    def status(self) -> "Optional[Status]":
        found = _stat(self.path)
        if found is None or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
            return None
        if self.slash and not stat.S_ISDIR(found.st_mode):
            return None
        return _status(found, in_bucket=True)

    def exists(self) -> bool:
        return self.is_folder() or self.is_file()

    def is_file(self) -> bool:
        return not self.slash and super().is_file()

    def require_bucket(self) -> None:
        if not os.path.isdir(self._bucket):
            raise _errors.no_bucket(self._address.bucket)

    def child(self, name: str) -> "Location":
        return BucketPath(self._root, self._address / name)

    def entries(self, recursive: bool = False) -> "list[Entry]":
        if not self.is_folder():
            raise _errors.not_exists(self.url, "folder")
        with _refusals(self.url):
            found = _scan(self.path, recursive, in_bucket=True)
            return sorted(found, key=lambda entry: entry.order)

    def to_copy(self) -> "list[Entry]":
        return self.entries(recursive=True)

    def move_to(self, target: "Location") -> bool:
        self._require_own()
        target.require_bucket()
        moved = super().move_to(target)
        if moved:
            self._tidy()
        return moved

    def size(self, recursive: bool) -> int:
        found = self.status()
        if found is None:
            raise _errors.not_exists(self.url)
        return _total(self.path) if found.is_directory and recursive else found.length

    def open_binary(self, mode: str) -> "tuple[IO[bytes], Publish]":
        self.require_bucket()
        with _refusals(self.url):
            if self.slash or os.path.isdir(self.path):
                raise IsADirectoryError
            if mode.startswith("r"):
                return open(self.path, f"{mode}b", encoding=None), None
        if mode.startswith("x") and os.path.lexists(self.path):
            raise FileExistsError(errno.EEXIST, "the object exists", self.url)
        with _refusals(self.url, writing=True):
            if mode.startswith("w"):
                part = _part.PartFile(self.path)
                return part.file, part.publish
            return _part.in_folder(self.path, lambda: open(self.path, f"{mode}b", encoding=None)), None

    def make_folder(self, parents: bool = True) -> None:
        self.require_bucket()
        if not parents and not BucketPath(self._root, self._address.parent).is_folder():
            raise _errors.not_exists(str(self._address.parent), "folder")
        with _refusals(self.url, writing=True):
            os.makedirs(self.path, exist_ok=True)

    def remove(self, recursive: bool) -> None:
        found = self.status()
        if found is None or (found.is_directory and not recursive):
            return
        self._require_own()
        with _refusals(self.url):
            if not found.is_directory:
                LocalPath(self.path).remove(recursive=False)
            elif not self._address.key:
                for name in os.listdir(self.path):  # the bucket itself stays
                    LocalPath(os.path.join(self.path, name)).remove(recursive=True)
            else:
                LocalPath(self.path).remove(recursive=True)
        self._tidy()

    def _require_own(self) -> None:
        """Refuse to delete what the bucket contains only through a link above it: it is the user's own elsewhere."""
        folder = os.path.dirname(self.path)
        while len(folder) >= len(self._bucket):
            if os.path.islink(folder):
                advice = f"{self.url} is outside of the bucket: {folder} is a link to {os.path.realpath(folder)}."
                raise _errors.refusal(403, "AccessDenied", "Access Denied", advice)
            folder = os.path.dirname(folder)

    def _tidy(self) -> None:
        """Delete the folders above that existed only because of what was deleted."""
        folder = os.path.dirname(self.path)
        with contextlib.suppress(OSError):  # the first that is not empty
            while len(folder) > len(self._bucket):
                os.rmdir(folder)
                folder = os.path.dirname(folder)


class _refusals:
    """Raises errors of the file system as the refusals that OBS would give."""

    def __init__(self, url: str, writing: bool = False) -> None:
        self._url = url
        self._writing = writing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, _errors._MoxFileBaseRespException):
            return
        if isinstance(error, IsADirectoryError):
            raise _errors.is_folder(self._url) from None
        if isinstance(error, PermissionError):
            raise _errors.refusal(403, "AccessDenied", "Access Denied", f"{self._url}: {error.strerror}.") from error
        if self._writing and isinstance(error, (FileExistsError, NotADirectoryError)):
            advice = f"{self._url} cannot be created: a file has this name, or that of a folder above it."
            raise _errors.refusal(409, "FileConflict", "The name is in use.", advice) from error
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise _errors.no_key(self._url) from None


def _stat(path: str) -> "Optional[os.stat_result]":
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        if isinstance(error, OSError) and error.errno not in _MISSING:
            raise
        return None


def _status(found: os.stat_result, in_bucket: bool = False) -> Status:
    is_folder = stat.S_ISDIR(found.st_mode)
    status = Status(0 if is_folder and in_bucket else found.st_size, found.st_mtime_ns, is_folder)
    if not in_bucket:
        for name in _MEMBERS:
            setattr(status, name, getattr(found, name))
    return status


def _scan(folder: str, recursive: bool, in_bucket: bool = False, prefix: str = "") -> "Iterator[Entry]":
    """The content of a folder; links are followed, except those that form a circle."""
    around = [(folder, prefix, (_identity(folder),))]  # type: list[tuple[str, str, tuple[tuple[int, int], ...]]]
    while around:
        path, before, above = around.pop()
        with os.scandir(path) as found:
            for item in found:
                is_folder = _is_folder(item)
                if in_bucket and not is_folder and (item.name.startswith(_part.PART) or not item.is_file()):
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


def _total(folder: str) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for entry in _scan(folder, recursive=True, in_bucket=True):
        if not entry.is_folder:
            found = _stat(os.path.join(folder, entry.name))
            total += found.st_size if found else 0
    return total


def _remove_tree(path: str) -> None:
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
