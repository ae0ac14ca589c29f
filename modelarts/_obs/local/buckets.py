"""`session.obs` for buckets that are folders on this machine; jobs write into them directly.

They behave like buckets of the cloud, which have objects only: a folder exists as long as it has content, or when it
was created explicitly. So an empty local folder counts as one that was created explicitly.
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
from modelarts._obs.failures import REFUSED, no_bucket_error, not_empty_error, report_os_errors
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.modification import modified_error, was_modified
from modelarts._obs.transfer.part_file import PartFile, is_unfinished
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError

_CHUNK = 1 << 20


class LocalBuckets(Buckets):
    """Buckets that are folders below `root`."""

    threads = 2  # more do not make a disk faster

    def __init__(self, root: LocalPath) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"LocalBuckets({str(self.root)!r})"

    def close(self) -> None:
        pass

    def _create_bucket(self, name: str) -> None:
        with report_os_errors(f"create bucket {name!r}"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def _remove_bucket(self, name: str) -> None:
        folder = self._bucket(name)
        with report_os_errors(f"delete bucket {name!r}"):
            if next(tree.walk(folder, empty=True), None) is not None:
                raise not_empty_error(name)
            if folder.is_symlink():
                folder.unlink()  # what it links to is not the bucket's
            else:
                shutil.rmtree(folder)

    def _find(self, path: ObsPath) -> Item | None:
        local = path.under(self.root)
        with report_os_errors(f"look for {path.url}"):
            status = tree.status_or_none(local)
        return _item(path, status) if status and stat.S_ISREG(status.st_mode) else None

    def _is_folder(self, path: ObsPath) -> bool:
        local = path.under(self.root)
        with report_os_errors(f"look for {path.url}"):
            status = tree.status_or_none(local)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return False
            return not path.key or tree.is_empty(local) or next(tree.walk(local, empty=True), None) is not None

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        local = folder.under(self.root)
        with report_os_errors(f"list {folder.url}"):
            status = tree.status_or_none(local)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return
            for found, is_folder in _all(local) if recursive else tree.entries(local):
                path = folder / found.relative_to(local).as_posix()
                status = tree.status_or_none(found)
                if status is None:  # it has just been deleted
                    continue
                if recursive or not is_folder:
                    yield _item(path.as_dir if is_folder else path, status)
                elif self._is_folder(path):
                    yield Item(path.as_dir.url)

    def _has_content(self, file: Path, item: Item) -> bool:
        with file.open("rb") as one, item.path.under(self.root).open("rb") as other:
            while chunk := one.read(_CHUNK):
                if chunk != other.read(_CHUNK):
                    return False
            return not other.read(1)

    def _has_unfinished_upload(self, target: ObsPath) -> bool:
        return is_unfinished(target.under(self.root))

    def _upload_tasks(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        self._bucket(target.bucket)
        with report_os_errors(f"upload to {target.url}"):
            missing = [folder for folder in self._above(target)[:-1] if tree.status_or_none(folder) is None]
        if missing:
            transfer.at_end(partial(_remove_empty, missing))
        copy_to = target.under(self.root)
        yield partial(_copy, source, copy_to, f"upload to {target.url}", transfer, fail_if_modified=True)

    def _download_tasks(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        yield partial(_copy, item.path.under(self.root), target, f"download {item.url}", transfer)

    def _remove(self, path: ObsPath) -> None:
        self._require_own(path)
        with report_os_errors(f"delete {path.url}"):
            path.under(self.root).unlink()
        self._tidy(path)

    def _remove_folder(self, folder: ObsPath) -> None:
        self._require_own(folder)
        local = folder.under(self.root)
        with report_os_errors(f"delete {folder.url}"):
            if local.is_symlink():
                local.unlink()
                if not folder.key:
                    local.mkdir()
            elif folder.key:
                tree.remove(local)
            else:
                for path in list(local.iterdir()):  # the bucket itself exists all the time
                    tree.remove(path)
        self._tidy(folder)

    def _create_folder(self, folder: ObsPath) -> None:
        self._bucket(folder.bucket)
        with report_os_errors(f"create {folder.url}"):
            folder.under(self.root).mkdir(parents=True, exist_ok=True)

    def _tidy(self, path: ObsPath) -> None:
        """Delete the folders above that existed only because of what has been deleted."""
        with suppress(OSError):  # the first that is not empty
            for folder in self._above(path)[:-1]:
                folder.rmdir()

    def _require_own(self, path: ObsPath) -> None:
        """Refuse to delete what the bucket contains only through a link above it."""
        link = next((folder for folder in self._above(path) if folder.is_symlink()), None)
        if link is not None:
            raise ObsError(
                f"delete: {path.url} is outside of the bucket: {str(link)!r} is a link to {str(link.resolve())!r}. "
                "Delete it there; or delete the link, which keeps what it links to",
                REFUSED,
            )

    def _above(self, path: ObsPath) -> list[Path]:
        """The folders above a path, the nearest first; the last is the bucket."""
        local = path.under(self.root)
        return [folder for folder in local.parents if self.root in folder.parents]

    def _bucket(self, name: str) -> Path:
        local = self.root / name
        with report_os_errors(f"look for bucket {name!r}"):
            status = tree.status_or_none(local)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise no_bucket_error(name)
        return local


def _all(local: Path) -> Iterator[tuple[Path, bool]]:
    for found in tree.walk(local, empty=True):
        yield found, found.is_dir()


def _remove_empty(folders: list[Path]) -> None:
    """Delete folders that were created for files whose upload failed."""
    for folder in folders:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _item(path: ObsPath, status: os.stat_result) -> Item:
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Item(path.url, size, datetime.fromtimestamp(int(status.st_mtime), timezone.utc))


def _copy(source: Path, target: Path, action: str, transfer: Transfer, fail_if_modified: bool = False) -> None:
    """Copy to a part file, then rename it: no reader ever sees an incomplete file under its final name.

    With `fail_if_modified`, a source that changes meanwhile is an error. Objects may change while they are downloaded,
    as jobs append to their logs.
    """
    transfer.check()
    with report_os_errors(action):
        part_file = PartFile(target)
        try:
            offset = 0
            chunk = memoryview(bytearray(_CHUNK))  # one buffer: allocating it each time costs as much as copying
            with source.open("rb", buffering=0) as file:
                before = os.fstat(file.fileno())
                while length := file.readinto(chunk):
                    transfer.check()
                    part_file.write(chunk[:length], offset)
                    offset += length
                    transfer.moved(length)
                if fail_if_modified and was_modified(before, os.fstat(file.fileno())):
                    raise modified_error(source)
            transfer.check()
            part_file.put_in_place()
        finally:
            part_file.remove()
    transfer.meter.finished()
