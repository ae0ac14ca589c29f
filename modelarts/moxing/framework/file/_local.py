"""Local files and folders."""

import contextlib
import os
import stat

from . import _errors
from ._location import Location
from ._part import in_folder
from ._scan import remove_tree, scan, status_of, status_or_none, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Optional

    from ._location import Entry, Publish, Status


class LocalPath(Location):
    """A local path. Errors are those of Python."""

    is_local = True
    path = ""

    def __init__(self, path: str) -> None:
        self.url = self.path = path
        self.slash = path.endswith("/")

    def status(self) -> "Optional[Status]":
        found = status_or_none(self.path)
        return found and status_of(found)

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
            return sorted(scan(self.path, recursive), key=lambda entry: entry.order)
        except FileNotFoundError:
            raise _errors.not_exists(self.url, "folder") from None

    def to_copy(self) -> "list[Entry]":
        return sorted(scan(self.path, recursive=True, in_bucket=True), key=lambda entry: entry.order)

    def move_to(self, target: "Location") -> bool:
        path = target.path
        if path is None or os.path.isdir(path) or os.path.islink(self.path):
            return False
        if self.is_local and not target.is_local and os.path.isdir(self.path):
            return False  # links in it may be relative
        try:
            in_folder(path, lambda: os.replace(self.path, path))
        except OSError:  # another file system, or what the copy reports
            return False
        return True

    def size(self, recursive: bool) -> int:
        found = status_or_none(self.path)
        if found is None:
            raise _errors.not_exists(self.url)
        return total(self.path) if stat.S_ISDIR(found.st_mode) else found.st_size

    def open_binary(self, mode: str) -> "tuple[IO[bytes], Publish]":
        return open(self.path, f"{mode}b", encoding=None), None

    def make_folder(self, parents: bool = True) -> None:
        if parents:
            os.makedirs(self.path, exist_ok=True)
        else:
            os.mkdir(self.path)

    def remove(self, recursive: bool) -> None:
        path = self.path.rstrip("/") or "/"  # with a slash, a link to a folder would be taken for the folder
        if os.path.isdir(path) and not os.path.islink(path):
            if recursive:
                remove_tree(path)
        elif recursive and self.slash and os.path.isdir(path):
            os.unlink(path)
        else:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(self.path)
