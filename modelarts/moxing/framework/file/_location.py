"""What a path can be, and what each kind of storage implements."""

import abc
import contextlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, Any, Callable, Optional

    Publish = Optional[Callable[[], None]]


class Status:
    """What `stat` returns: the members of MoXing and those of `os.stat`.

    Args:
        length: bytes; 0 for a folder of a bucket.
        mtime_nsec: time of the last change, in nanoseconds since 1970, UTC.
    """

    def __init__(self, length: int, mtime_nsec: int, is_directory: bool) -> None:
        self.length = self.st_size = length
        self.mtime_nsec = self.st_mtime_ns = self.st_atime_ns = self.st_ctime_ns = mtime_nsec
        self.st_mtime = self.st_atime = self.st_ctime = mtime_nsec / 1e9
        self.is_directory = is_directory
        self.st_mode = stat.S_IFDIR | 0o755 if is_directory else stat.S_IFREG | 0o644
        self.st_ino = self.st_dev = self.st_uid = self.st_gid = 0
        self.st_nlink = 1

    def __getitem__(self, place: int) -> int:
        """The members as a tuple, for `os.stat(url)[stat.ST_SIZE]`."""
        found = (self.st_mode, self.st_ino, self.st_dev, self.st_nlink, self.st_uid, self.st_gid, self.st_size,
                 int(self.st_atime), int(self.st_mtime), int(self.st_ctime))  # fmt: skip
        return found[place]

    def __repr__(self) -> str:
        return f"Status(length={self.length}, mtime_nsec={self.mtime_nsec}, is_directory={self.is_directory})"


class Entry:
    """One name in a folder; with `tree`, the path below it."""

    __slots__ = ("is_folder", "name", "status")

    def __init__(self, name: str, is_folder: bool, status: "Optional[Status]" = None) -> None:
        self.name = name
        self.is_folder = is_folder
        self.status = status

    @property
    def order(self) -> str:
        """The order of keys: the key of a folder ends with a slash."""
        return f"{self.name}/" if self.is_folder else self.name


class Location(abc.ABC):
    """A file, object or folder that a path names, whether it exists or not.

    Attributes:
        url: how it is shown.
        slash: whether it can only be a folder, because the path ended with a slash.
        path: the local file or folder that holds it, where there is one.
        is_local: whether it is no bucket's.
    """

    url = ""
    slash = False
    path = None  # type: Optional[str]
    is_local = False

    @abc.abstractmethod
    def status(self) -> "Optional[Status]":
        """The file, else the folder, of this name; `None` where there is neither."""

    @property
    def place(self) -> str:
        """The same text for whatever is the same file, object or folder."""
        return os.path.realpath(self.path) if self.path is not None else self.url

    def exists(self) -> bool:
        return self.status() is not None

    def is_file(self) -> bool:
        found = self.status()
        return found is not None and not found.is_directory

    def is_folder(self) -> bool:
        found = self.status()
        return found is not None and found.is_directory

    def require_bucket(self) -> None:  # noqa: B027  local paths have none
        """Raise where the bucket does not exist."""

    @abc.abstractmethod
    def child(self, name: str) -> "Location":
        """What has this name, or path, below it."""

    @abc.abstractmethod
    def entries(self, recursive: bool = False) -> "list[Entry]":
        """What a folder contains, in the order of keys; raises `FileNotFoundError` where there is none."""

    def to_copy(self) -> "list[Entry]":
        """What is copied of a folder: everything below it but pipes, sockets and broken links."""
        return self.entries(recursive=True)

    def refusals(self, writing: bool = False) -> "contextlib.AbstractContextManager[Any]":
        """Raises errors of local files that are those of a bucket as OBS would."""
        return contextlib.ExitStack()

    def move_to(self, target: "Location") -> bool:
        """Move it by a rename, if that is possible; `False` if it was not."""
        return False

    @abc.abstractmethod
    def size(self, recursive: bool) -> int:
        """Bytes of a file, or of a folder's content; raises `FileNotFoundError`."""

    def read(self) -> bytes:
        """The content of a file."""
        file, _ = self.open_binary("r")
        with file:
            return file.read()

    @abc.abstractmethod
    def open_binary(self, mode: str) -> "tuple[IO[bytes], Publish]":
        """A binary file for a mode such as `r+`, and what makes visible what was written to it, where needed."""

    @abc.abstractmethod
    def make_folder(self, parents: bool = True) -> None:
        """Create a folder; one of a bucket may exist."""

    def keep_folder(self) -> None:  # noqa: B027  elsewhere folders stay by themselves
        """Let a folder that a script created stay when it becomes empty, where it would go with its last object."""

    @abc.abstractmethod
    def remove(self, recursive: bool) -> None:
        """Delete a file, or with `recursive` a folder; what does not exist, or is a folder without it, is left."""

    def upload(self, pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
        """Copy local files to names below this folder; only for locations without `path`."""
        raise TypeError(f"{self.url} is the local path {self.path}: copy files to that")

    def download(self, pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
        """Copy names below this folder to local files; only for locations without `path`."""
        raise TypeError(f"{self.url} is the local path {self.path}: copy files from that")
