"""The objects of a bucket in the order of their keys, page by page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import attrs

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.names import path_of

_SLASH = b"/"


@attrs.frozen(kw_only=True)
class ListQuery:
    """The parameters of a list request."""

    prefix: bytes
    delimiter: bytes
    after: bytes
    most: int

    def group(self, key: bytes) -> bytes:
        """The common prefix that a key is grouped under; empty if the key itself is listed."""
        end = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return b"" if end < 0 else key[: end + len(self.delimiter)]


@attrs.frozen
class Page:
    """One page of a list."""

    keys: list[str]
    prefixes: list[str]
    last: str  # the marker of the next page; empty for the last one


def page(bucket: Path, query: ListQuery, is_object: Callable[[str, Path], bool]) -> Page:
    """The next page of a bucket.

    Args:
        bucket: its folder.
        query: the parameters of the request.
        is_object: whether a folder is an object by itself.
    """
    keys: list[str] = []
    prefixes: list[str] = []
    last = query.after
    for key in _Walk(query, is_object).keys(bucket):
        group = query.group(key)
        if group and group <= last:
            continue
        if len(keys) + len(prefixes) == query.most:
            return Page(keys, prefixes, last.decode() if query.most else "")
        last = group or key
        (prefixes if group else keys).append(last.decode())
    return Page(keys, prefixes, "")


@attrs.frozen
class _Walk:
    """Walks folders in the order of keys, and skips those that cannot contain a match.

    It yields at least one key for each common prefix.
    """

    query: ListQuery
    is_object: Callable[[str, Path], bool]

    def keys(self, bucket: Path) -> Iterator[bytes]:
        start = self.query.prefix[: self.query.prefix.rfind(_SLASH) + 1]
        try:
            path = path_of(bucket, start.decode()) if start else bucket
        except ObsError:  # no folder can have this name
            return
        yield from self._folder(path, start) if start else self._below(path, start)

    def _folder(self, path: Path, key: bytes) -> Iterator[bytes]:
        query = self.query
        if not _may_hold(key, query.prefix) or (key < query.after and not query.after.startswith(key)):
            return
        if path.is_symlink() or not path.is_dir():
            return
        if key.startswith(query.prefix):
            if query.group(key):
                yield from self._any(path, key)
                return
            if key > query.after and self.is_object(key.decode(), path):
                yield key
        yield from self._below(path, key)

    def _below(self, path: Path, at: bytes) -> Iterator[bytes]:
        for name in _names(path):
            key = at + name
            if name.endswith(_SLASH):
                yield from self._folder(path / os.fsdecode(name), key)
            elif key.startswith(self.query.prefix) and key > self.query.after:
                yield key

    def _any(self, path: Path, key: bytes) -> Iterator[bytes]:
        """The key of a folder if it contains an object, or is one."""
        everything = _Walk(ListQuery(prefix=b"", delimiter=b"", after=b"", most=1), self.is_object)
        if next(everything._folder(path, key), None) is not None:
            yield key


def _may_hold(folder: bytes, prefix: bytes) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


def _names(folder: Path) -> list[bytes]:
    """The entries of a folder in the order of keys; names of folders end with a slash."""
    found = []
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            for entry in entries:
                if entry.name.startswith(PART.encode()) or not _is_utf8(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    found.append(entry.name + _SLASH)
                elif entry.is_file():  # no sockets and no broken links
                    found.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):  # it has just been removed
        return []
    return sorted(found)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
