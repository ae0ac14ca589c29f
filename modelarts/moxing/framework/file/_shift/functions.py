"""Functions of `os`, `os.path` and `open` that go to buckets for URLs, and are those of Python for everything else.

They are methods of one object: as a method is bound already, a class may have one as an attribute, as it may have the
functions of Python, which are built in. Local calls are the common ones, so each decides by one letter of the path.
"""

import os
import stat as modes
import zlib

from .. import file_io
from .._access import locate
from .._listing import DirEntry
from .._urls import is_url, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, Optional

    from .._location import Status

_FIRST = "sSoO"  # letters that URLs begin with


class Entries:
    """What `scandir` returns for a folder of a bucket."""

    def __init__(self, url: "Any") -> None:
        self._entries = file_io.scan_dir(url)

    def __iter__(self) -> "Iterator[DirEntry]":
        return self._entries

    def __next__(self) -> DirEntry:
        return next(self._entries)  # type: ignore[no-any-return]

    def __enter__(self) -> "Entries":
        return self

    def __exit__(
        self, kind: "Optional[type]", error: "Optional[BaseException]", trace: "Optional[TracebackType]"
    ) -> None:
        pass

    def close(self) -> None:
        """Nothing: there is nothing open."""


class Functions:
    """The functions, and those of Python that they stand for."""

    def __init__(self) -> None:
        self.first = ""  # no path is a URL until they are shifted

    def begin(self, of_python: "dict[str, Any]") -> None:
        """Send URLs to buckets, everything else to these functions of Python."""
        for name, function in of_python.items():
            if getattr(function, "__self__", None) is not self:  # somebody has kept it, and put it there again
                setattr(self, "_" + name, function)
        self.first = _FIRST

    def end(self) -> None:
        """Be those of Python only, for whoever has kept one."""
        self.first = ""

    def is_url(self, path: "Any") -> bool:
        """Whether a path goes to a bucket."""
        if path.__class__ is str:
            return path[:1] in self.first and is_url(path)
        return self.first != "" and isinstance(path, (str, os.PathLike)) and is_url(path)

    # --- files; the first ones are written out for speed

    def open(self, file: "Any", *args: "Any", **options: "Any") -> "Any":
        """As `open`."""
        if file.__class__ is str:
            if file[:1] in self.first and is_url(file):
                return file_io.File(file, *args, **options)
        elif file.__class__ is not int and self.is_url(file):
            return file_io.File(file, *args, **options)
        return self._open(file, *args, **options)

    def stat(self, path: "Any", **options: "Any") -> "Any":
        """As `os.stat`."""
        if path.__class__ is str:
            if path[:1] in self.first and is_url(path):
                return self._status(path)
        elif path.__class__ is not int and self.is_url(path):
            return self._status(path)
        return self._stat(path, **options)

    def exists(self, path: "Any") -> bool:
        """As `os.path.exists`."""
        if self.is_url(path):
            return file_io.exists(path)
        try:
            self._stat(path)
        except (OSError, ValueError):
            return False
        return True

    def isfile(self, path: "Any") -> bool:
        """As `os.path.isfile`."""
        if self.is_url(path):
            try:
                return locate(path).is_file()
            except ValueError:  # it names no bucket
                return False
        try:
            return modes.S_ISREG(self._stat(path).st_mode)
        except (OSError, ValueError):
            return False

    def isdir(self, s: "Any") -> bool:
        """As `os.path.isdir`."""
        if self.is_url(s):
            return file_io.is_directory(s)
        try:
            return modes.S_ISDIR(self._stat(s).st_mode)
        except (OSError, ValueError):
            return False

    def lstat(self, path: "Any", **options: "Any") -> "Any":
        """As `os.lstat`."""
        return self._status(path) if self.is_url(path) else self._lstat(path, **options)

    def getsize(self, filename: "Any") -> int:
        """As `os.path.getsize`."""
        return file_io.get_size(filename) if self.is_url(filename) else self._stat(filename).st_size

    def access(self, path: "Any", mode: int, **options: "Any") -> bool:
        """As `os.access`; whether an object may be written is not asked."""
        return file_io.exists(path) if self.is_url(path) else self._access(path, mode, **options)

    def remove(self, path: "Any", **options: "Any") -> None:
        """As `os.remove`; an object that does not exist is no error."""
        if self.is_url(path):
            file_io.remove(path)
        else:
            self._remove(path, **options)

    unlink = remove

    def rename(self, src: "Any", dst: "Any", **options: "Any") -> None:
        """As `os.rename`, also between buckets and local folders."""
        if self.is_url(src) or self.is_url(dst):
            file_io.rename(src, dst)
        else:
            self._rename(src, dst, **options)

    def replace(self, src: "Any", dst: "Any", **options: "Any") -> None:
        """As `os.replace`, also between buckets and local folders."""
        if self.is_url(src) or self.is_url(dst):
            file_io.rename(src, dst)
        else:
            self._replace(src, dst, **options)

    def chmod(self, path: "Any", *args: "Any", **options: "Any") -> None:
        """As `os.chmod`; objects have no permissions of this kind."""
        if not self.is_url(path):
            self._chmod(path, *args, **options)

    def utime(self, path: "Any", *args: "Any", **options: "Any") -> None:
        """As `os.utime`; the time of an object is that of its upload."""
        if not self.is_url(path):
            self._utime(path, *args, **options)

    def abspath(self, path: "Any") -> "Any":
        """As `os.path.abspath`."""
        return os.fspath(path) if self.is_url(path) else self._abspath(path)

    def realpath(self, filename: "Any", **options: "Any") -> "Any":
        """As `os.path.realpath`."""
        return os.fspath(filename) if self.is_url(filename) else self._realpath(filename, **options)

    # --- folders

    def listdir(self, path: "Any" = ".") -> "Any":
        """As `os.listdir`."""
        return file_io.list_directory(path) if self.is_url(path) else self._listdir(path)

    def scandir(self, path: "Any" = ".") -> "Any":
        """As `os.scandir`."""
        return Entries(path) if self.is_url(path) else self._scandir(path)

    def walk(self, top: "Any", *args: "Any", **options: "Any") -> "Any":
        """As `os.walk`."""
        return file_io.walk(top, *args, **options) if self.is_url(top) else self._walk(top, *args, **options)

    def mkdir(self, path: "Any", *args: "Any", **options: "Any") -> None:
        """As `os.mkdir`; a folder of a bucket may exist."""
        if self.is_url(path):
            file_io.mk_dir(path)
        else:
            self._mkdir(path, *args, **options)

    def makedirs(self, name: "Any", *args: "Any", **options: "Any") -> None:
        """As `os.makedirs`; a folder of a bucket may exist."""
        if self.is_url(name):
            file_io.make_dirs(name)
        else:
            self._makedirs(name, *args, **options)

    def rmdir(self, path: "Any", **options: "Any") -> None:
        """As `os.rmdir`."""
        if not self.is_url(path):
            self._rmdir(path, **options)
        elif file_io.list_directory(path):
            raise OSError(39, "Directory not empty", os.fspath(path))
        else:
            file_io.remove(path, recursive=True)

    def _status(self, url: "Any") -> "Status":
        found = file_io.stat(url)
        if not found.st_ino:  # `os.path.samefile` compares it
            found.st_ino = zlib.crc32(str(parse(url)).encode("utf-8", "surrogateescape")) + 1
        return found

    def __getattr__(self, name: str) -> "Any":
        raise AttributeError(f"{name} is not shifted")

    def __reduce__(self) -> "tuple[Any, ...]":
        return _of_this_process, ()


functions = Functions()


def _of_this_process() -> Functions:
    """The functions in a process that got one of them from another: there, they are shifted, too."""
    file_io.shift("os", "mox")
    return functions
