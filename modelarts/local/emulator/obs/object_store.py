"""Objects as files: read, create and remove."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Optional

import attrs

from modelarts._obs.paths import PART, bucket_name_problem
from modelarts.local import files
from modelarts.local.emulator.obs import cleanup
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import MAX_HASHED_BYTES, etag_of, md5
from modelarts.local.emulator.obs.keys import BelowLink, file_of, path_of
from modelarts.local.emulator.obs.metadata import Metadata, MetadataStore
from modelarts.local.emulator.obs.request_body import retry_in_folder

_NO_OBJECT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)


@attrs.frozen
class StoredObject:
    """An existing object, with its open file unless it is a folder."""

    size: int
    modified: float
    etag: str
    headers: dict[str, str]
    file: Optional[IO[bytes]] = None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


@attrs.frozen
class ObjectStore:
    """All buckets: folders below one folder, the same that jobs and local sessions use.

    Args:
        root: the folder of the buckets.
        metadata: metadata of the objects.
        region: the region reported for the buckets.
        owner: the id of their owner.
    """

    root: Path
    metadata: MetadataStore
    region: str
    owner: str

    def bucket(self, name: str) -> Path:
        """The folder of a bucket. Raises `ObsApiError`."""
        folder = self.root / name
        if bucket_name_problem(name) or not folder.is_dir():
            raise ObsApiError("NoSuchBucket", f"there is no bucket {name!r}")
        return folder

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket without objects. Raises `ObsApiError` if its folder contains other files."""
        folder = self.bucket(name)
        cleanup.remove_abandoned_below(folder)
        for _, found in _walk(folder):
            others = [file.name for file in found if not file.name.startswith(PART)]
            if others:
                raise bucket_not_empty(name, f"files that are not listed as objects, such as {others[0]!r}")
        try:
            for path, _ in _walk(folder):
                path.rmdir()
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            raise bucket_not_empty(name, "an object that was just added, or is being uploaded") from None
        self.metadata.remove_all(name)

    def find(self, bucket: str, key: str) -> StoredObject:
        """The object with exactly this key, which the caller closes. Raises `ObsApiError`."""
        folder = self.bucket(bucket)
        with suppress(*_NO_OBJECT, BelowLink, files.NotRegular):
            path = path_of(folder, key)
            if not key.endswith("/"):
                if file := file_of(folder, path):
                    return self._open_file(bucket, key, file)
            elif self.is_object(bucket, key, path):
                return StoredObject(0, path.stat().st_mtime, md5().hexdigest(), {})
        raise ObsApiError("NoSuchKey", f"there is no object {key!r}")

    def is_object(self, bucket: str, key: str, folder: Path) -> bool:
        """Whether a folder is an object itself: it was created as one, or is empty."""
        try:
            with os.scandir(folder) as entries:
                if next(entries, None) is None:
                    return True
            return self.metadata.read(bucket, key, folder.stat()) is not None
        except _NO_OBJECT:
            return False

    @contextmanager
    def prepare_folder(self, bucket: str, key: str) -> Iterator[Path]:
        """The folder for a new object; if the upload fails, folders created for it are removed."""
        folder = path_of(self.bucket(bucket), key).parent
        names = key.split("/")[:-1]
        existing = sum(self.root.joinpath(bucket, *names[:depth]).is_dir() for depth in range(1, len(names) + 1))
        try:
            yield folder
        except (FileExistsError, NotADirectoryError):
            raise folder_conflict(key) from None
        except BaseException:
            self.remove_empty_folders(bucket, key, existing)
            raise

    def put(self, bucket: str, key: str, file: Path, metadata: Metadata) -> None:
        """Rename a complete file to the path of an object, replacing the earlier one."""
        path = path_of(self.bucket(bucket), key)
        status = file.stat()
        if metadata.headers or status.st_size > MAX_HASHED_BYTES:
            self.metadata.write(bucket, key, status, metadata)
        else:
            self.metadata.remove(bucket, key)
        try:
            file.replace(path)
        except IsADirectoryError:
            raise folder_conflict(key) from None

    def put_folder(self, bucket: str, key: str) -> None:
        """Create a folder that is an object."""
        path = path_of(self.bucket(bucket), key)
        try:
            retry_in_folder(path, lambda: self.metadata.write(bucket, key, path.stat(), Metadata()))
        except (FileExistsError, NotADirectoryError):
            raise folder_conflict(key) from None

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object if it exists, and the parent folders that become empty and are no objects."""
        path = path_of(self.bucket(bucket), key)
        self.metadata.remove(bucket, key)
        try:
            path.rmdir() if key.endswith("/") else path.unlink()
        except _NO_OBJECT:
            return
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            return
        self.remove_empty_folders(bucket, key)

    def remove_empty_folders(self, bucket: str, key: str, keep: int = 0) -> None:
        """Remove empty parent folders of a key that are no objects; the first `keep` folders stay."""
        folders = key.rstrip("/").split("/")[:-1]
        with suppress(OSError):  # a folder is not empty, or was removed meanwhile
            while len(folders) > keep:
                path = self.root.joinpath(bucket, *folders)
                if self.metadata.read(bucket, "/".join([*folders, ""]), path.stat()) is not None:
                    return
                path.rmdir()
                folders.pop()

    def _open_file(self, bucket: str, key: str, path: Path) -> StoredObject:
        file = files.open_regular(path)
        status = os.fstat(file.fileno())
        metadata = self.metadata.read(bucket, key, status) or Metadata()
        etag = metadata.etag or etag_of(file, status)
        return StoredObject(status.st_size, status.st_mtime, etag, metadata.headers, file)


def folder_conflict(key: str) -> ObsApiError:
    """The error for a key that is both an object and a folder, which only the cloud can store."""
    reason = "objects are files here, so an object cannot be the folder of others: choose another key"
    return ObsApiError("InvalidArgument", f"{key!r}: {reason}")


def folder_with_content(key: str) -> ObsApiError:
    """The error for content at a key that ends with a slash."""
    return ObsApiError("InvalidArgument", f"{key!r}: a key with a slash at its end is a folder, without content")


def bucket_not_empty(bucket: str, content: str) -> ObsApiError:
    """The error for removing a bucket that is not empty."""
    return ObsApiError("BucketNotEmpty", f"the bucket {bucket!r} is not empty: it contains {content}")


def _walk(top: Path) -> Iterator[tuple[Path, list[Path]]]:
    """All folders, the deepest first, each with its files and links. Raises `OSError`."""
    for folder, folders, names in os.walk(top, topdown=False, onerror=_fail):
        path = Path(folder)
        yield path, [path / name for name in names] + [link for name in folders if (link := path / name).is_symlink()]


def _fail(error: OSError) -> None:
    raise error
