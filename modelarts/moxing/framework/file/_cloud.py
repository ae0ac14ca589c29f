"""Buckets of the cloud, by `session.obs`."""

import io
import logging
import os
import pathlib
import tempfile
from typing import cast

from modelarts._obs.failures import no_bucket_error
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.local_names import can_be_file
from modelarts._obs.transfer.plan import TransferPlan
from modelarts.errors import ObsError

from . import _errors
from ._location import Entry, Location, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, Any, Optional

    from modelarts._obs.backend import Item
    from modelarts._obs.buckets import Buckets

    from ._location import Publish
    from ._urls import Url

_THREADS = 8
_NOT_FOUND, _REFUSED = "ModelArts.0015", "ModelArts.1003"


class CloudObject(Location):
    """An object, or a folder, which exists when an object's key begins with its name."""

    def __init__(self, buckets: "Buckets", url: "Url") -> None:
        self._buckets = buckets
        self._address = url
        self._object = ObsPath(url.bucket, url.key)
        self._folder = self._object.as_dir
        self.url = str(url)
        self.slash = url.slash
        self._listed = {}  # type: dict[str, Item]

    @property
    def place(self) -> str:
        return self._object.url

    def status(self) -> "Optional[Status]":
        with _refusals(self._object):
            item = None if self.slash else self._buckets._find(self._object)
            if item is not None:
                return _status(item)
            return Status(0, 0, True) if self.is_folder() else None

    def is_file(self) -> bool:
        with _refusals(self._object):
            return not self.slash and self._buckets._find(self._object) is not None

    def is_folder(self) -> bool:
        with _refusals(self._object):
            return self._buckets._is_folder(self._folder)

    def require_bucket(self) -> None:
        with _refusals(self._object):
            if not self._buckets._is_folder(ObsPath(self._object.bucket)):
                raise _errors.no_bucket(self._object.bucket)

    def child(self, name: str) -> "CloudObject":
        return CloudObject(self._buckets, self._address / name)

    def entries(self, recursive: bool = False) -> "list[Entry]":
        if not self.is_folder():
            raise _errors.not_exists(self.url, "folder")
        with _refusals(self._object):
            found = {}  # type: dict[str, Entry]
            for item in self._buckets._walk(self._folder, recursive):
                name = item.path.key[len(self._folder.key) :]
                self._listed[name] = item
                for place in range(len(name) if recursive else 0):  # folders are only in the names of objects
                    if name[place] == "/":
                        found.setdefault(name[: place + 1], Entry(name[:place], True))
                found[name] = Entry(name.rstrip("/"), item.is_dir, _status(item))
            return sorted(found.values(), key=lambda entry: entry.order)

    def to_copy(self) -> "list[Entry]":
        entries = self.entries(recursive=True)
        for entry in entries:
            if not can_be_file(entry.name):
                logging.getLogger().warning("%s/%s is not copied: no file can have this name", self.url, entry.name)
        return [entry for entry in entries if can_be_file(entry.name)]

    def size(self, recursive: bool) -> int:
        found = self.status()
        if found is None:
            raise _errors.not_exists(self.url)
        if not found.is_directory or not recursive:
            return found.length
        return sum(entry.status.length for entry in self.entries(recursive=True) if entry.status)

    def open_binary(self, mode: str) -> "tuple[IO[bytes], Publish]":
        with _refusals(self._object):
            if self.slash:
                raise _errors.is_folder(self.url)
            item = None if mode.startswith("w") else self._buckets._find(self._object)
            if item is None and mode.startswith("r"):
                self.require_bucket()
                raise _errors.is_folder(self.url) if self.is_folder() else _errors.no_key(self.url)
            if item is not None and mode.startswith("x"):
                raise FileExistsError(f"{self.url} exists")
            return self._open(item, mode)

    def _open(self, item: "Optional[Item]", mode: str) -> "tuple[IO[bytes], Publish]":
        handle, path = tempfile.mkstemp(prefix="moxing-")
        os.close(handle)
        if item is not None:
            try:
                self._fetch([(item, path)], _THREADS)
            except BaseException:
                os.unlink(path)
                raise
        raw = _TemporaryFile(path, mode.replace("x", "w"))
        if mode == "r":
            return io.BufferedReader(raw), None
        file = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return cast("IO[bytes]", file), lambda: self._put(path)

    def _put(self, path: str) -> None:
        with _refusals(self._object):
            self._send([(path, self._object)], _THREADS)

    def make_folder(self, parents: bool = True) -> None:
        with _refusals(self._object):
            if not parents and not CloudObject(self._buckets, self._address.parent).is_folder():
                raise _errors.not_exists(str(self._address.parent), "folder")
            if not self.is_folder():
                self._buckets._create_folder(self._folder)

    def remove(self, recursive: bool) -> None:
        with _refusals(self._object):
            if self.is_file():
                self._buckets._remove(self._object)
            elif recursive and self.is_folder():
                self._buckets._remove_folder(self._folder)

    def upload(self, pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
        with _refusals(self._object):
            self._send([(path, self._target(name)) for path, name in pairs], threads)

    def download(self, pairs: "Iterable[tuple[str, str]]", threads: int) -> None:
        with _refusals(self._object):
            self._fetch([(self._item(name), path) for name, path in pairs], threads)

    def _target(self, name: str) -> ObsPath:
        return self._folder / name if name else self._object

    def _item(self, name: str) -> "Item":
        path = self._target(name)
        item = self._listed.get(name) or self._buckets._find(path)
        if item is None:
            raise _errors.no_key(path.url)
        return item

    def _send(self, pairs: "list[tuple[str, ObsPath]]", threads: int) -> None:
        plan = TransferPlan(self._buckets, f"upload to {self.url}", max(threads, 1), False)
        plan.upload([(pathlib.Path(source), target) for source, target in pairs], (), self._object.bucket)

    def _fetch(self, pairs: "list[tuple[Item, str]]", threads: int) -> None:
        plan = TransferPlan(self._buckets, f"download {self.url}", max(threads, 1), False)
        plan.download([(item, pathlib.Path(target)) for item, target in pairs], False)


class _TemporaryFile(io.FileIO):
    """A file that is deleted when the process that made it closes it; forked ones have copies."""

    def __init__(self, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._pid = os.getpid()

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self._pid == os.getpid():
                os.unlink(self.name)


class _refusals:
    """Raises errors of `session.obs` as those of MoXing."""

    def __init__(self, path: ObsPath) -> None:
        self._bucket = path.bucket

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: "Any", trace: object) -> None:
        if isinstance(error, ObsError):
            if str(error) == str(no_bucket_error(self._bucket)):
                raise _errors.no_bucket(self._bucket) from error
            status, code = {_NOT_FOUND: (404, "NoSuchKey"), _REFUSED: (403, "AccessDenied")}.get(
                error.error_code, (500, "InternalError")
            )
            raise _errors.refusal(status, code, str(error), str(error)) from error


def _status(item: "Item") -> Status:
    modified = int(item.modified.timestamp()) * 10**9 if item.modified else 0
    return Status(item.size, modified, item.is_dir)
