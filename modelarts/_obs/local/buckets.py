"""`session.obs` over buckets that are directories on this machine; jobs write into them directly.

They behave as buckets of the cloud do, where there are objects only: a folder is there as long as something lies in it,
or when it was made. A folder with nothing in it is one that was made.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from modelarts._obs import tree
from modelarts._obs.arguments import LocalPath
from modelarts._obs.backend import Item
from modelarts._obs.buckets import Buckets
from modelarts._obs.failures import REFUSED, explained, no_bucket, not_empty
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.part_file import PartFile, is_unfinished
from modelarts._obs.transfer.source import changed, is_other
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError

_CHUNK = 1 << 20


class LocalBuckets(Buckets):
    """Buckets that are folders below `root`."""

    threads = 2  # a disk is soon busy

    def __init__(self, root: LocalPath) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"LocalBuckets({str(self.root)!r})"

    def close(self) -> None:
        pass

    def _make_bucket(self, name: str) -> None:
        with explained(f"create bucket {name!r}"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def _remove_bucket(self, name: str) -> None:
        place = self._bucket(name)
        with explained(f"delete bucket {name!r}"):
            if next(tree.walk(place, empty=True), None) is not None:
                raise not_empty(name)
            if place.is_symlink():
                place.unlink()  # what it leads to is not the bucket's
            else:
                shutil.rmtree(place)

    def _find(self, path: ObsPath) -> Item | None:
        place = path.under(self.root)
        with explained(f"look for {path.url}"):
            status = tree.status_of(place)
        return _item(path, status) if status and stat.S_ISREG(status.st_mode) else None

    def _is_folder(self, path: ObsPath) -> bool:
        place = path.under(self.root)
        with explained(f"look for {path.url}"):
            status = tree.status_of(place)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return False
            return not path.key or tree.is_empty(place) or next(tree.walk(place, empty=True), None) is not None

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        place = folder.under(self.root)
        with explained(f"list {folder.url}"):
            status = tree.status_of(place)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return
            for found, is_folder in _all(place) if recursive else tree.entries(place):
                path = folder / found.relative_to(place).as_posix()
                status = tree.status_of(found)
                if status is None:  # it was removed meanwhile
                    continue
                if recursive or not is_folder:
                    yield _item(path.as_dir if is_folder else path, status)
                elif self._is_folder(path):
                    yield Item(path.as_dir.url)

    def _same(self, file: Path, item: Item) -> bool:
        with file.open("rb") as one, item.path.under(self.root).open("rb") as other:
            while chunk := one.read(_CHUNK):
                if chunk != other.read(_CHUNK):
                    return False
            return not other.read(1)

    def _was_cut_off(self, target: ObsPath) -> bool:
        return is_unfinished(target.under(self.root))

    def _sending(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        self._bucket(target.bucket)
        with explained(f"upload to {target.url}"):
            missing = [folder for folder in self._above(target)[:-1] if tree.status_of(folder) is None]
        if missing:
            transfer.at_end(partial(_remove_empty, missing))
        copy_to = target.under(self.root)
        yield partial(_copy, source, copy_to, f"upload to {target.url}", transfer, fail_if_modified=True)

    def _fetching(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        yield partial(_copy, item.path.under(self.root), target, f"download {item.url}", transfer)

    def _remove(self, path: ObsPath) -> None:
        self._require_own(path)
        with explained(f"delete {path.url}"):
            path.under(self.root).unlink()
        self._tidy(path)

    def _remove_folder(self, folder: ObsPath) -> None:
        self._require_own(folder)
        place = folder.under(self.root)
        with explained(f"delete {folder.url}"):
            if place.is_symlink():
                place.unlink()
                if not folder.key:
                    place.mkdir()
            elif folder.key:
                tree.remove(place)
            else:
                for path in list(place.iterdir()):  # the bucket itself is there all the time
                    tree.remove(path)
        self._tidy(folder)

    def _make_folder(self, folder: ObsPath) -> None:
        self._bucket(folder.bucket)
        with explained(f"create {folder.url}"):
            folder.under(self.root).mkdir(parents=True, exist_ok=True)

    def _tidy(self, path: ObsPath) -> None:
        """Remove the folders above that were there only because of what has been removed."""
        with suppress(OSError):  # the first that is not empty
            for folder in self._above(path)[:-1]:
                folder.rmdir()

    def _require_own(self, path: ObsPath) -> None:
        """Refuse to remove what is the bucket's only through a link above it."""
        link = next((folder for folder in self._above(path) if folder.is_symlink()), None)
        if link is not None:
            raise ObsError(
                f"delete: {path.url} is not the bucket's own: {str(link)!r} is a link to {str(link.resolve())!r}. "
                "Remove it there; or remove the link, which leaves alone what it leads to",
                REFUSED,
            )

    def _above(self, path: ObsPath) -> list[Path]:
        """The folders around a path, the nearest first; the last is the bucket."""
        place = path.under(self.root)
        return [folder for folder in place.parents if self.root in folder.parents]

    def _bucket(self, name: str) -> Path:
        place = self.root / name
        with explained(f"look for bucket {name!r}"):
            status = tree.status_of(place)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise no_bucket(name)
        return place


def _all(place: Path) -> Iterator[tuple[Path, bool]]:
    for found in tree.walk(place, empty=True):
        yield found, found.is_dir()


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders that were made for files which did not come."""
    for folder in folders:
        with suppress(OSError):  # something lies in it
            folder.rmdir()


def _item(path: ObsPath, status: os.stat_result) -> Item:
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Item(path.url, size, datetime.fromtimestamp(int(status.st_mtime), timezone.utc))


def _copy(source: Path, target: Path, doing: str, transfer: Transfer, fail_if_modified: bool = False) -> None:
    """Copy beside the target, then rename: no reader ever sees half a file under its final name.

    With `steady`, a source that changes meanwhile is refused. Jobs write on in what is downloaded.
    """
    transfer.check()
    with explained(doing):
        beside = PartFile(target)
        try:
            offset = 0
            chunk = memoryview(bytearray(_CHUNK))  # one for all: memory that is new each time costs as much as copying
            with source.open("rb", buffering=0) as file:
                was = os.fstat(file.fileno())
                while length := file.readinto(chunk):
                    transfer.check()
                    beside.write(chunk[:length], offset)
                    offset += length
                    transfer.moved(length)
                if fail_if_modified and is_other(was, os.fstat(file.fileno())):
                    raise changed(source)
            transfer.check()
            beside.put_in_place()
        finally:
            beside.remove()
    transfer.meter.finished()
