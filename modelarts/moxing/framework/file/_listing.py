"""Listing, searching and walking folders."""

import fnmatch
import os

from ._access import locate
from ._urls import Url, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._location import Entry, Location, Status

_MAGIC = "*?["


class DirEntry:
    """What `scan_dir` yields for buckets: as the entries of `os.scandir`."""

    def __init__(self, folder: "Location", path: str, entry: "Entry") -> None:
        self.name = entry.name
        self.path = path
        self._entry = entry
        self._folder = folder

    def is_dir(self, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        return self._entry.is_folder

    def is_file(self, follow_symlinks: bool = True) -> bool:
        """Whether it is an object."""
        return not self._entry.is_folder

    def is_symlink(self) -> bool:
        """False: buckets have no links."""
        return False

    def inode(self) -> int:
        """0: objects have none."""
        return 0

    def stat(self, follow_symlinks: bool = True) -> "Status":
        """The same as `moxing.file.stat`."""
        found = self._entry.status or self._folder.child(self.name).status()
        if found is None:
            raise FileNotFoundError(self.path)
        return found

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"


def list_directory(
    url: "Any", recursive: bool = False, remove_sep: bool = True, skip_file: bool = False, skip_dir: bool = False
) -> "list[str]":
    """The names in a folder, in the order of keys.

    Args:
        recursive: also all below its folders; names are relative to `url`.
        remove_sep: names of folders have no final slash.
        skip_file, skip_dir: leave out files, or folders.

    Raises:
        MoxFileNotExistsException: there is no such folder.
    """
    return [
        entry.name if remove_sep or not entry.is_folder else f"{entry.name}/"
        for entry in locate(url).entries(recursive)
        if not (skip_dir if entry.is_folder else skip_file)
    ]


def scan_dir(url: "Any") -> "Iterator[Any]":
    """The entries of a folder, with `name`, `path`, `is_dir()`, `is_file()` and `stat()`.

    Raises:
        MoxFileNotExistsException: there is no such folder.
    """
    address = parse(url)
    if address is None:
        with os.scandir(url) as found:
            yield from found
        return
    folder = locate(url)
    for entry in folder.entries():
        yield DirEntry(folder, str(address / entry.name), entry)


def walk(
    url: "Any", topdown: bool = True, onerror: "Any" = None, followlinks: bool = False
) -> "Iterator[tuple[str, list[str], list[str]]]":
    """As `os.walk`: path, folders and files of a folder, then those of its folders; nothing if it does not exist.

    Args:
        topdown, onerror, followlinks: for local folders; buckets are walked from the top.
    """
    address = parse(url)
    if address is None:
        yield from os.walk(url, topdown, onerror, followlinks)
    else:
        yield from _walk(locate(url), address)


def _walk(folder: "Location", address: Url) -> "Iterator[tuple[str, list[str], list[str]]]":
    try:
        found = folder.entries()
    except FileNotFoundError:
        return
    folders = [entry.name for entry in found if entry.is_folder]
    yield str(address), folders, [entry.name for entry in found if not entry.is_folder]
    for name in folders:
        yield from _walk(folder.child(name), address / name)


def glob(url: "Any", recursive: bool = False) -> "list[str]":
    """The paths that match a pattern, sorted; local ones are absolute.

    Args:
        url: `*`, `?` and `[a-c]` match within a name, in names of folders too.
        recursive: `**` matches any number of folders.
    """
    address = parse(url)
    if address is None:
        import glob as of_python

        return sorted(map(os.path.abspath, of_python.glob(os.fspath(url), recursive=recursive)))
    start = Url(address.scheme, address.bucket, "")
    names = address.key.split("/") if address.key else []
    found = _matches(locate(str(start)), start, names, recursive, address.slash)
    return sorted(found)


def _matches(
    folder: "Location", address: Url, names: "list[str]", recursive: bool, only_folders: bool
) -> "Iterator[str]":
    plain = 0
    while plain < len(names) and not any(letter in names[plain] for letter in _MAGIC):
        plain += 1
    if plain:
        name = "/".join(names[:plain])
        folder, address = folder.child(name), address / name
    if plain == len(names):
        if folder.is_folder() or (not only_folders and folder.is_file()):
            yield f"{address}/" if only_folders else str(address)
        return
    pattern, rest = names[plain], names[plain + 1 :]
    try:
        found = folder.entries()
    except FileNotFoundError:
        return
    if pattern == "**" and recursive:
        yield from _matches(folder, address, rest, recursive, only_folders) if rest else ()
        for entry in found:
            if entry.is_folder and not entry.name.startswith("."):
                yield from _matches(
                    folder.child(entry.name), address / entry.name, names[plain:], recursive, only_folders
                )
            if not rest:
                yield str(address / entry.name)
        return
    for entry in found:
        if not fnmatch.fnmatchcase(entry.name, pattern) or (entry.name.startswith(".") and pattern[0] != "."):
            continue
        if rest:
            if entry.is_folder:
                yield from _matches(folder.child(entry.name), address / entry.name, rest, recursive, only_folders)
        elif entry.is_folder or not only_folders:
            yield f"{address / entry.name}{'/' if only_folders else ''}"
