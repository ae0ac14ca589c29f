"""The objects of a bucket in the order of their keys, page by page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import attrs

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.keys import file_of, path_of

_SLASH = b"/"


@attrs.frozen(kw_only=True)
class ListQuery:
    """The parameters of a list request."""

    prefix: bytes
    delimiter: bytes
    marker: bytes
    limit: int

    def common_prefix(self, key: bytes) -> bytes:
        """The common prefix that a key is grouped under; empty if the key itself is listed."""
        end = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return b"" if end < 0 else key[: end + len(self.delimiter)]


@attrs.frozen
class Page:
    """One page of a list."""

    keys: list[str]
    prefixes: list[str]
    next_marker: str  # empty on the last page


def list_page(bucket: Path, query: ListQuery, is_object: Callable[[str, Path], bool]) -> Page:
    """The page of a bucket that follows the marker.

    Args:
        bucket: the folder of the bucket.
        query: the parameters of the request.
        is_object: whether a folder is an object itself, from its key and path.
    """
    keys: list[str] = []
    prefixes: list[str] = []
    last = query.marker
    for key in _Walk(query, is_object).keys(bucket):
        common_prefix = query.common_prefix(key)
        if common_prefix and common_prefix <= last:
            continue
        if len(keys) + len(prefixes) == query.limit:
            return Page(keys, prefixes, last.decode() if query.limit else "")
        last = common_prefix or key
        (prefixes if common_prefix else keys).append(last.decode())
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
        except ObsApiError:  # no folder can have this name
            return
        yield from self._keys_of(bucket, path, start) if start else self._keys_below(bucket, path, start)

    def _keys_of(self, bucket: Path, path: Path, key: bytes) -> Iterator[bytes]:
        query = self.query
        if not _may_contain(key, query.prefix) or (key < query.marker and not query.marker.startswith(key)):
            return
        if path.is_symlink() or not path.is_dir():
            return
        if key.startswith(query.prefix):
            if query.common_prefix(key):
                yield from self._first_key(bucket, path, key)
                return
            if key > query.marker and self.is_object(key.decode(), path):
                yield key
        yield from self._keys_below(bucket, path, key)

    def _keys_below(self, bucket: Path, path: Path, parent_key: bytes) -> Iterator[bytes]:
        for name in _names(bucket, path):
            key = parent_key + name
            if name.endswith(_SLASH):
                yield from self._keys_of(bucket, path / os.fsdecode(name), key)
            elif key.startswith(self.query.prefix) and key > self.query.marker:
                yield key

    def _first_key(self, bucket: Path, path: Path, key: bytes) -> Iterator[bytes]:
        """The key of a folder if it contains an object, or is one."""
        any_object = _Walk(ListQuery(prefix=b"", delimiter=b"", marker=b"", limit=1), self.is_object)
        if next(any_object._keys_of(bucket, path, key), None) is not None:
            yield key


def _may_contain(folder: bytes, prefix: bytes) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


def _names(bucket: Path, folder: Path) -> list[bytes]:
    """The entries of a folder in the order of keys; names of folders end with a slash."""
    found = []
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            for entry in entries:
                if entry.name.startswith(PART.encode()) or not _is_utf8(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    found.append(entry.name + _SLASH)
                elif entry.is_file() and file_of(bucket, folder / os.fsdecode(entry.name)):  # no sockets, broken links
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
