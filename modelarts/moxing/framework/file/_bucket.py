"""Buckets that are folders of this machine."""

import contextlib
import errno
import os
import stat

from . import _errors
from ._local import LocalPath
from ._part import PartFile, in_folder, make_folder
from ._scan import scan, status_of, status_or_none, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Optional

    from ._location import Entry, Location, Publish, Status
    from ._urls import Url


_created = set()  # type: set[str]  # folders that this process created as such: they stay when they become empty


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
        with _refusals(self.url):
            found = status_or_none(self.path)
        if found is None or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
            return None
        if self.slash and not stat.S_ISDIR(found.st_mode):
            return None
        return status_of(found, in_bucket=True)

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
            found = scan(self.path, recursive, in_bucket=True)
            return sorted(found, key=lambda entry: entry.order)

    def to_copy(self) -> "list[Entry]":
        return self.entries(recursive=True)

    def refusals(self, writing: bool = False) -> "_refusals":
        return _refusals(self.url, writing, self._bucket if writing else self.path)

    def move_to(self, target: "Location") -> bool:
        self._require_own()
        target.require_bucket()
        moved = super().move_to(target)
        if moved:
            self._forget()
            self._tidy()
        return moved

    def size(self, recursive: bool) -> int:
        found = self.status()
        if found is None:
            raise _errors.not_exists(self.url)
        with _refusals(self.url):
            return total(self.path) if found.is_directory and recursive else found.length

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
                part = PartFile(self.path)
                return part.file, part.publish
            return in_folder(self.path, lambda: open(self.path, f"{mode}b", encoding=None)), None

    def make_folder(self, parents: bool = True) -> None:
        self.require_bucket()
        if not parents and not BucketPath(self._root, self._address.parent).is_folder():
            raise _errors.not_exists(str(self._address.parent), "folder")
        with _refusals(self.url, writing=True):
            make_folder(self.path)

    def keep_folder(self) -> None:
        folder = self.path
        while len(folder) > len(self._bucket):
            _created.add(folder)
            folder = os.path.dirname(folder)

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
        self._forget()
        self._tidy()

    def _require_own(self) -> None:
        """Refuse to delete what the bucket contains only through a link above it: it is the user's own elsewhere."""
        folder = os.path.dirname(self.path)
        while len(folder) >= len(self._bucket):
            if os.path.islink(folder):
                advice = f"{self.url} is outside of the bucket: {folder} is a link to {os.path.realpath(folder)}."
                raise _errors.refusal(403, "AccessDenied", "Access Denied", advice)
            folder = os.path.dirname(folder)

    def _forget(self) -> None:
        """It has been deleted: folders that come to be of this name are not those that were created."""
        gone = [path for path in list(_created) if f"{path}/".startswith(f"{self.path}/")]
        _created.difference_update(gone)

    def _tidy(self) -> None:
        """Delete the folders above that existed only because of what was deleted."""
        folder = os.path.dirname(self.path)
        with contextlib.suppress(OSError):  # the first that is not empty
            while len(folder) > len(self._bucket) and folder not in _created:
                os.rmdir(folder)
                folder = os.path.dirname(folder)


class _refusals:
    """Raises errors of the file system as the refusals that OBS would give.

    Args:
        within: only errors of files below this folder.
    """

    def __init__(self, url: str, writing: bool = False, within: str = "") -> None:
        self._url = url
        self._writing = writing
        self._within = within

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, _errors._MoxFileBaseRespException):
            return
        if self._within and not f"{error.filename}/".startswith(f"{self._within}/"):
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
