"""What lies in buckets, and what a place that holds them must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Optional

import attrs

from modelarts._obs.failures import NOT_THERE, no_bucket
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts._transport.options import TransportOptions
from modelarts.errors import ObsError


@attrs.frozen
class Item:
    """What lies in a bucket: an object, or a folder, whose `url` ends with a slash."""

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
        """Its place."""
        bucket, _, key = self.url[len("obs://") :].partition("/")
        return ObsPath(bucket, key)


class StorageBackend(ABC):
    """A place that holds buckets, and how bytes get there and back."""

    threads = 8

    @abstractmethod
    def close(self) -> None:
        """Close connections; they are opened again when needed."""

    @abstractmethod
    def _make_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _remove_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _find(self, path: ObsPath) -> Item | None:
        """The object of exactly this path."""

    @abstractmethod
    def _is_folder(self, path: ObsPath) -> bool:
        """Whether there is this folder, or for an empty key this bucket."""

    @abstractmethod
    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        """The objects in a folder, and its folders where not `recursive`, in the order of keys.

        Folders that were made are objects. Nothing when there is no such folder.
        """

    @abstractmethod
    def _same(self, file: Path, item: Item) -> bool:
        """Whether a local file of the object's size has the object's content."""

    @abstractmethod
    def _was_cut_off(self, target: ObsPath) -> bool:
        """Whether an earlier upload to this object began and did not end, or is under way."""

    @abstractmethod
    def _sending(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        """The work that uploads a file."""

    @abstractmethod
    def _fetching(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        """The work that downloads an object; nothing stands under the target's name before it is whole."""

    @abstractmethod
    def _remove(self, path: ObsPath) -> None: ...

    @abstractmethod
    def _remove_folder(self, folder: ObsPath) -> None: ...

    @abstractmethod
    def _make_folder(self, folder: ObsPath) -> None: ...

    def _time_outs(self) -> TransportOptions | None:
        """Those of the requests of this thread, where there are any."""
        return None

    def _require_bucket(self, name: str) -> None:
        if not self._is_folder(ObsPath(name)):
            raise no_bucket(name)

    def _nothing(self, path: ObsPath, message: str, advice: str = "") -> ObsError:
        """The error for a path that is not there: perhaps its bucket is not, or it is a folder in place of an object.

        Args:
            advice: what to do when something else has the name.
        """
        if not self._is_folder(ObsPath(path.bucket)):
            return no_bucket(path.bucket)
        other = self._instead(path)
        return ObsError("; ".join(filter(None, [message, other, other and advice])), NOT_THERE)

    def _instead(self, path: ObsPath) -> str:
        """What there is of that name."""
        if self._is_folder(path.as_dir):
            return f"{path.as_dir.url} is a folder"
        found = ObsPath(path.bucket, path.key.rstrip("/"))
        return f"{found.url} is an object" if found.key and self._find(found) is not None else ""

    def _there(self, folder: ObsPath, items: Iterable[Item], call: str) -> Iterator[Item]:
        """The items; when there are none, the folder must exist."""
        empty = True
        for item in items:
            empty = False
            yield item
        if empty and not self._is_folder(folder):
            advice = "use download_file" if call == "download_dir" else ""
            raise self._nothing(folder, f"{call}: there is no folder {folder.url}", advice)
