"""Functions of `shutil` and `glob` that go to buckets for URLs."""

import glob as of_python
import os
import shutil

from .. import file_io
from .functions import functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


SHUTIL = ("copyfile", "copytree", "rmtree", "copymode", "copystat")
GLOB = ("glob", "iglob")


class Trees:
    """The functions, and those of Python that they stand for."""

    def begin(self) -> None:
        """Remember those of Python."""
        for module, names in ((shutil, SHUTIL), (of_python, GLOB)):
            for name in names:
                function = getattr(module, name)
                if getattr(function, "__self__", None) is not self:  # somebody has kept it, and put it there again
                    setattr(self, "_" + name, function)

    def copyfile(self, src: "Any", dst: "Any", **options: "Any") -> "Any":
        """As `shutil.copyfile`."""
        if not (functions.is_url(src) or functions.is_url(dst)):
            return self._copyfile(src, dst, **options)
        file_io.copy(src, dst)
        return dst

    def copytree(self, src: "Any", dst: "Any", *args: "Any", **options: "Any") -> "Any":
        """As `shutil.copytree`; the target may exist, and of the options only `ignore` counts."""
        if not (functions.is_url(src) or functions.is_url(dst)):
            return self._copytree(src, dst, *args, **options)
        ignore = args[1] if len(args) > 1 else options.get("ignore")
        file_io.copy_parallel(src, dst, file_list=None if ignore is None else list(_kept(src, ignore)))
        return dst

    def rmtree(self, path: "Any", *args: "Any", **options: "Any") -> None:
        """As `shutil.rmtree`; a folder of a bucket need not exist."""
        if functions.is_url(path):
            file_io.remove(path, recursive=True)
        else:
            self._rmtree(path, *args, **options)

    def copymode(self, src: "Any", dst: "Any", **options: "Any") -> None:
        """As `shutil.copymode`; objects have no permissions of this kind."""
        if not (functions.is_url(src) or functions.is_url(dst)):
            self._copymode(src, dst, **options)

    def copystat(self, src: "Any", dst: "Any", **options: "Any") -> None:
        """As `shutil.copystat`; objects have no permissions of this kind."""
        if not (functions.is_url(src) or functions.is_url(dst)):
            self._copystat(src, dst, **options)

    def glob(self, pathname: "Any", **options: "Any") -> "Any":
        """As `glob.glob`."""
        if functions.is_url(pathname):
            return file_io.glob(pathname, recursive=options.get("recursive", False))
        return self._glob(pathname, **options)

    def iglob(self, pathname: "Any", **options: "Any") -> "Any":
        """As `glob.iglob`."""
        if functions.is_url(pathname):
            return iter(file_io.glob(pathname, recursive=options.get("recursive", False)))
        return self._iglob(pathname, **options)

    def __getattr__(self, name: str) -> "Any":
        raise AttributeError(f"{name} is not shifted")

    def __reduce__(self) -> "tuple[Any, ...]":
        return _of_this_process, ()


Trees.rmtree.avoids_symlink_attacks = shutil.rmtree.avoids_symlink_attacks  # type: ignore[attr-defined]
trees = Trees()


def _of_this_process() -> Trees:
    """The functions in a process that got one of them from another."""
    file_io.shift("os", "mox")
    return trees


def _kept(source: "Any", ignore: "Any") -> "Iterator[str]":
    """The files below a folder that `ignore` leaves, relative to the folder."""
    for folder, folders, files in os.walk(source):
        ignored = set(ignore(folder, folders + files))
        folders[:] = [name for name in folders if name not in ignored]
        inside = folder[len(os.fspath(source).rstrip("/")) :].strip("/")
        yield from (f"{inside}/{name}".lstrip("/") for name in files if name not in ignored)
