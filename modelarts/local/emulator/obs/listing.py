"""The objects of a bucket in the order of their keys, page by page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import attrs

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.names import place_of

_SLASH = b"/"


@attrs.frozen(kw_only=True)
class Wanted:
    """Which objects are asked for."""

    prefix: bytes
    delimiter: bytes
    after: bytes
    most: int

    def group(self, key: bytes) -> bytes:
        """The common prefix under which a key is listed; empty when it is listed itself."""
        end = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return b"" if end < 0 else key[: end + len(self.delimiter)]


@attrs.frozen
class Page:
    """Some of what was asked for, and whether there is more."""

    keys: list[str]
    prefixes: list[str]
    last: str  # where the next page begins; empty when there is none


def page(bucket: Path, wanted: Wanted, is_object: Callable[[str, Path], bool]) -> Page:
    """The next page of a bucket.

    Args:
        bucket: its folder.
        wanted: which objects.
        is_object: whether a folder is an object by itself.
    """
    keys: list[str] = []
    prefixes: list[str] = []
    last = wanted.after
    for key in _Walk(wanted, is_object).keys(bucket):
        group = wanted.group(key)
        if group and group <= last:
            continue
        if len(keys) + len(prefixes) == wanted.most:
            return Page(keys, prefixes, last.decode() if wanted.most else "")
        last = group or key
        (prefixes if group else keys).append(last.decode())
    return Page(keys, prefixes, "")


@attrs.frozen
class _Walk:
    """Goes through folders in the order of keys, and into those only where something is wanted.

    Of what is listed under a common prefix, it gives one key at least.
    """

    wanted: Wanted
    is_object: Callable[[str, Path], bool]

    def keys(self, bucket: Path) -> Iterator[bytes]:
        start = self.wanted.prefix[: self.wanted.prefix.rfind(_SLASH) + 1]
        try:
            place = place_of(bucket, start.decode()) if start else bucket
        except ObsRefusal:  # there can be no such folder
            return
        yield from self._folder(place, start) if start else self._below(place, start)

    def _folder(self, place: Path, key: bytes) -> Iterator[bytes]:
        wanted = self.wanted
        if not _may_hold(key, wanted.prefix) or (key < wanted.after and not wanted.after.startswith(key)):
            return
        if place.is_symlink() or not place.is_dir():
            return
        if key.startswith(wanted.prefix):
            if wanted.group(key):
                yield from self._any(place, key)
                return
            if key > wanted.after and self.is_object(key.decode(), place):
                yield key
        yield from self._below(place, key)

    def _below(self, place: Path, at: bytes) -> Iterator[bytes]:
        for name in _names(place):
            key = at + name
            if name.endswith(_SLASH):
                yield from self._folder(place / os.fsdecode(name), key)
            elif key.startswith(self.wanted.prefix) and key > self.wanted.after:
                yield key

    def _any(self, place: Path, key: bytes) -> Iterator[bytes]:
        """The key of a folder if there is an object in it, or it is one."""
        everything = _Walk(Wanted(prefix=b"", delimiter=b"", after=b"", most=1), self.is_object)
        if next(everything._folder(place, key), None) is not None:
            yield key


def _may_hold(folder: bytes, prefix: bytes) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


def _names(folder: Path) -> list[bytes]:
    """What lies in a folder, in the order of keys: the names of folders end with a slash."""
    found = []
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            for entry in entries:
                if entry.name.startswith(PART.encode()) or not _is_utf8(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    found.append(entry.name + _SLASH)
                elif entry.is_file():  # no socket, no link that leads nowhere
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
