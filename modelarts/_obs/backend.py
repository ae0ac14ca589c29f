"""What buckets contain, and what every kind of storage for them implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Optional

import attrs

from modelarts._obs import tree
from modelarts._obs.failures import NOT_FOUND, no_bucket_error
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts._transport.options import TransportOptions
from modelarts.errors import ObsError


@attrs.frozen
class Item:
    """An object, or a folder, whose `url` ends with a slash."""

    url: str
    size: int = 0
    modified: Optional[datetime] = None
    etag: str = attrs.field(default="", repr=False)

    @property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.url.endswith("/")

    @property
    def path(self) -> ObsPath:
        """Its path."""
        bucket, _, key = self.url[len("obs://") :].partition("/")
        return ObsPath(bucket, key)


class StorageBackend(ABC):
    """Storage that holds buckets, and the uploads and downloads of single files."""

    threads = 8
    quick = -1  # bytes of a file that is copied in less time than another thread takes to begin with it

    @abstractmethod
    def close(self) -> None:
        """Close connections; the next call opens new ones."""

    @abstractmethod
    def _create_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _remove_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _find(self, path: ObsPath) -> Item | None:
        """The object with exactly this path, or `None`."""

    @abstractmethod
    def _is_folder(self, path: ObsPath) -> bool:
        """Whether this folder exists; for an empty key, whether the bucket does."""

    @abstractmethod
    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        """The objects of a folder, and without `recursive` its folders, in the order of keys.

        Folders that were created explicitly are objects. A folder that does not exist has none.
        """

    def _to_upload(
        self, folder: Path, files: Optional[Iterable[Path]], target: ObsPath, sync: bool, transfer: Transfer
    ) -> Iterator[Path]:
        """The files of a local folder, or some of them, except those that this call uploads itself, as it finds them.

        Raises `OSError`.
        """
        return tree.walk(folder) if files is None else iter(files)

    def _to_download(self, folder: ObsPath, target: Path, sync: bool, transfer: Transfer) -> Iterator[Item]:
        """The objects of a folder, except those that this call downloads itself, as it finds them."""
        return self._walk(folder)

    @abstractmethod
    def _has_content(self, file: Path, item: Item) -> bool:
        """Whether a local file, which has the size of the object, has its content."""

    @abstractmethod
    def _has_unfinished_upload(self, target: ObsPath) -> bool:
        """Whether an upload to this object was interrupted, or is in progress."""

    @abstractmethod
    def _upload_tasks(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        """The tasks that upload a file."""

    @abstractmethod
    def _download_tasks(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        """The tasks that download an object; the target appears when it is complete."""

    @abstractmethod
    def _remove(self, path: ObsPath) -> None: ...

    @abstractmethod
    def _remove_folder(self, folder: ObsPath) -> None: ...

    @abstractmethod
    def _create_folder(self, folder: ObsPath) -> None: ...

    def _timeouts(self) -> TransportOptions | None:
        """Timeouts for the requests of this thread, where there are requests."""
        return None

    def _require_bucket(self, name: str) -> None:
        if not self._is_folder(ObsPath(name)):
            raise no_bucket_error(name)

    def _not_found(self, path: ObsPath, message: str, advice: str = "") -> ObsError:
        """The error for a path that does not exist; it says when the bucket does not, or when it is the other kind.

        Args:
            advice: what to do when it is the other kind.
        """
        if not self._is_folder(ObsPath(path.bucket)):
            return no_bucket_error(path.bucket)
        other = self._other_kind(path)
        return ObsError("; ".join(filter(None, [message, other, other and advice])), NOT_FOUND)

    def _other_kind(self, path: ObsPath) -> str:
        """The folder or the object that has this name, as a phrase."""
        if self._is_folder(path.as_dir):
            return f"{path.as_dir.url} is a folder"
        found = ObsPath(path.bucket, path.key.rstrip("/"))
        return f"{found.url} is an object" if found.key and self._find(found) is not None else ""

    def _existing(self, folder: ObsPath, items: Iterable[Item], call: str) -> Iterator[Item]:
        """The items. Raises `ObsError` when there are none and the folder does not exist."""
        empty = True
        for item in items:
            empty = False
            yield item
        if empty and not self._is_folder(folder):
            advice = "use download_file" if call == "download_dir" else ""
            raise self._not_found(folder, f"{call}: there is no folder {folder.url}", advice)
