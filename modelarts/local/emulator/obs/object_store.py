"""Objects as files: how they are found, put in place and removed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Optional

import attrs

from modelarts._obs.paths import PART, bucket_name_problem
from modelarts.local.emulator.obs import cleanup
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.etags import SUMMED_AT_MOST, etag_of, md5
from modelarts.local.emulator.obs.metadata import Note, Notes
from modelarts.local.emulator.obs.names import place_of
from modelarts.local.emulator.obs.request_body import in_folder

_NO_OBJECT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)


@attrs.frozen
class Found:
    """An object that is there. Its file, which a folder has not, is open."""

    size: int
    modified: float
    etag: str
    headers: dict[str, str]
    file: Optional[IO[bytes]] = None


@attrs.frozen
class ObjectStore:
    """All buckets: folders below one folder, the same that jobs and local sessions use.

    Args:
        root: the folder of the buckets.
        notes: what is known of objects beside their content.
        region: where the buckets are said to be.
        owner: the id of who owns them.
    """

    root: Path
    notes: Notes
    region: str
    owner: str

    def bucket(self, name: str) -> Path:
        """The folder of a bucket. Raises `ObsRefusal`."""
        folder = self.root / name
        if bucket_name_problem(name) or not folder.is_dir():
            raise ObsRefusal("NoSuchBucket", f"there is no bucket {name!r}")
        return folder

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket in which there are no objects any more. Raises `ObsRefusal` when there is anything else."""
        folder = self.bucket(name)
        for _, files in _walk(folder):
            kept = [file.name for file in files if not file.name.startswith(PART)]
            if kept:
                raise not_empty(name, f"what no list shows, such as {kept[0]!r}")
        try:
            for place, files in _walk(folder):
                for file in files:
                    if file.name.startswith(PART):
                        cleanup.remove(file)
                place.rmdir()
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            raise not_empty(name, "what has just been put into it, or is on its way") from None
        self.notes.forget_all(name)

    def find(self, bucket: str, key: str) -> Found:
        """The object of exactly this key. Raises `ObsRefusal`."""
        place = place_of(self.bucket(bucket), key)
        try:
            status = place.stat()
            if stat.S_ISDIR(status.st_mode) and key.endswith("/") and self.is_object(bucket, key, place):
                return Found(0, status.st_mtime, md5().hexdigest(), {})
            if stat.S_ISREG(status.st_mode) and not key.endswith("/"):
                return self._opened(bucket, key, place)
        except _NO_OBJECT:
            pass
        raise ObsRefusal("NoSuchKey", f"there is no object {key!r}")

    def is_object(self, bucket: str, key: str, folder: Path) -> bool:
        """Whether a folder is an object by itself: it was made as one, or there is nothing in it."""
        try:
            with os.scandir(folder) as entries:
                if next(entries, None) is None:
                    return True
            return self.notes.read(bucket, key, folder.stat()) is not None
        except _NO_OBJECT:
            return False

    @contextmanager
    def room_for(self, bucket: str, key: str) -> Iterator[Path]:
        """The folder for an object that is about to be put; when that fails, what was made for it does not stay."""
        folder = place_of(self.bucket(bucket), key).parent
        names = key.split("/")[:-1]
        there = sum(self.root.joinpath(bucket, *names[:depth]).is_dir() for depth in range(1, len(names) + 1))
        try:
            yield folder
        except (FileExistsError, NotADirectoryError):
            raise folder_and_object(key) from None
        except BaseException:
            self.tidy(bucket, key, there)
            raise

    def put(self, bucket: str, key: str, arrived: Path, note: Note) -> None:
        """Give a file that is whole its name; what has it until now is gone then."""
        place = place_of(self.bucket(bucket), key)
        status = arrived.stat()
        if note.headers or status.st_size > SUMMED_AT_MOST:
            self.notes.write(bucket, key, status, note)
        else:
            self.notes.forget(bucket, key)
        try:
            arrived.replace(place)
        except IsADirectoryError:
            raise folder_and_object(key) from None

    def put_folder(self, bucket: str, key: str) -> None:
        """Make an object of a folder."""
        place = place_of(self.bucket(bucket), key)
        try:
            in_folder(place, lambda: self.notes.write(bucket, key, place.stat(), Note()))
        except (FileExistsError, NotADirectoryError):
            raise folder_and_object(key) from None

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there, and the folders above it that were there only because of it."""
        place = place_of(self.bucket(bucket), key)
        self.notes.forget(bucket, key)
        try:
            place.rmdir() if key.endswith("/") else place.unlink()
        except _NO_OBJECT:
            return
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            return
        self.tidy(bucket, key)

    def tidy(self, bucket: str, key: str, kept: int = 0) -> None:
        """Remove the empty folders above a key that are no objects themselves, but for so many from the bucket down."""
        folders = key.rstrip("/").split("/")[:-1]
        with suppress(OSError):  # the first that is not empty, or has just been removed
            while len(folders) > kept:
                place = self.root.joinpath(bucket, *folders)
                if self.notes.read(bucket, "/".join([*folders, ""]), place.stat()) is not None:
                    return
                place.rmdir()
                folders.pop()

    def _opened(self, bucket: str, key: str, place: Path) -> Found:
        file = place.open("rb")
        status = os.fstat(file.fileno())
        note = self.notes.read(bucket, key, status) or Note()
        etag = note.etag or etag_of(file, status)
        return Found(status.st_size, status.st_mtime, etag, note.headers, file)


def folder_and_object(key: str) -> ObsRefusal:
    """The refusal of what only the cloud can hold."""
    told = "objects are files here, so that no object can be a folder of others, too: take another key"
    return ObsRefusal("InvalidArgument", f"{key!r}: {told}")


def not_empty(bucket: str, what: str) -> ObsRefusal:
    """The refusal to remove a bucket with something in it."""
    return ObsRefusal("BucketNotEmpty", f"there is something in the bucket {bucket!r}: {what}")


def _walk(top: Path) -> Iterator[tuple[Path, list[Path]]]:
    """The folders from the lowest up, and in each what is no folder, links to some included. Raises `OSError`."""
    for folder, folders, files in os.walk(top, topdown=False, onerror=_fail):
        place = Path(folder)
        yield place, [place / name for name in files] + [one for name in folders if (one := place / name).is_symlink()]


def _fail(error: OSError) -> None:
    raise error
