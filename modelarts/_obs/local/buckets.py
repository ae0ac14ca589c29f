"""`session.obs` for buckets that are folders on this machine; jobs write into them directly.

They behave like buckets of the cloud, which have objects only: a folder exists as long as it has content, or when it
was created explicitly. So an empty local folder counts as one that was created explicitly.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from pathlib import Path

from modelarts._obs import tree
from modelarts._obs.arguments import LocalPath
from modelarts._obs.backend import Item
from modelarts._obs.buckets import Buckets
from modelarts._obs.failures import REFUSED, no_bucket_error, not_empty_error, report_os_errors
from modelarts._obs.local.copies import FileCopy, have_same_content
from modelarts._obs.local.folder_copy import FolderCopy
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import local_names
from modelarts._obs.transfer.part_file import is_unfinished
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError


class LocalBuckets(Buckets):
    """Buckets that are folders below `root`."""

    threads = 2  # more do not make a disk faster
    quick = 1 << 20

    def __init__(self, root: LocalPath) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"LocalBuckets({str(self.root)!r})"

    def close(self) -> None:
        pass

    def _create_bucket(self, name: str) -> None:
        with report_os_errors(f"create bucket {name!r}", self.root):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def _remove_bucket(self, name: str) -> None:
        folder = self._bucket(name)
        with report_os_errors(f"delete bucket {name!r}", self.root):
            if tree.has_objects(folder):
                raise not_empty_error(name)
            if folder.is_symlink():
                folder.unlink()  # what it links to is not the bucket's
            else:
                shutil.rmtree(folder)

    def _find(self, path: ObsPath) -> Item | None:
        local = path.under(self.root)
        with report_os_errors(f"look for {path.url}", self.root):
            status = tree.status_or_none(local)
        return _item(path, status) if status and stat.S_ISREG(status.st_mode) else None

    def _is_folder(self, path: ObsPath) -> bool:
        local = path.under(self.root)
        with report_os_errors(f"look for {path.url}", self.root):
            status = tree.status_or_none(local)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return False
            return not path.key or tree.is_empty(local) or tree.has_objects(local)

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        local = folder.under(self.root)
        with report_os_errors(f"list {folder.url}", self.root):
            status = tree.status_or_none(local)
            if status is None or not stat.S_ISDIR(status.st_mode):
                return
            above = len(os.fspath(local)) + 1
            for found in tree.walk(local, empty=True) if recursive else tree.children(local):
                path = folder / os.fspath(found)[above:].replace(os.sep, "/")
                status = tree.status_or_none(found)
                if status is None:  # it has just been deleted
                    continue
                is_folder = stat.S_ISDIR(status.st_mode)
                if recursive or not is_folder:
                    yield _item(path.as_dir if is_folder else path, status)
                elif self._is_folder(path):
                    yield Item(path.as_dir.url)

    def _to_upload(
        self, folder: Path, files: Iterable[Path] | None, target: ObsPath, sync: bool, transfer: Transfer
    ) -> Iterator[Path]:
        top = target.under(self.root)

        def make_parent(path: Path) -> None:
            inside = path.relative_to(top).as_posix()
            self._make_folder_for(target.as_dir if inside == "." else target / inside, transfer)

        folder_copy = FolderCopy(folder, top, transfer, make_parent, replace=not sync, fail_if_modified=True)
        found = tree.folders(os.fspath(folder)) if files is None else tree.by_folder(folder, files)
        return (folder / inside for inside in folder_copy.copy(found))

    def _to_download(self, folder: ObsPath, target: Path, sync: bool, transfer: Transfer) -> Iterator[Item]:
        local = folder.under(self.root)
        if not local_names.IS_CASE_SENSITIVE or not self._is_folder(folder):
            yield from self._walk(folder)
            return

        def make_parent(path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)

        folder_copy = FolderCopy(local, target, transfer, make_parent, replace=not sync)
        with report_os_errors(f"list {folder.url}", self.root):
            for inside in folder_copy.copy(tree.folders(os.fspath(local))):
                status = tree.status_or_none(local / inside)
                if status is not None:  # otherwise it has just been deleted
                    yield _item(folder / inside, status)

    def _has_content(self, file: Path, item: Item) -> bool:
        return have_same_content(file, item.path.under(self.root))

    def _has_unfinished_upload(self, target: ObsPath) -> bool:
        return is_unfinished(target.under(self.root))

    def _upload_tasks(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        make_folder = partial(self._make_folder_for, target, transfer)
        action, local = f"upload to {target.url}", target.under(self.root)
        yield FileCopy(source, local, action, transfer, make_folder, self.root, fail_if_modified=True)

    def _download_tasks(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        make_folder = partial(os.makedirs, target.parent, exist_ok=True)
        yield FileCopy(item.path.under(self.root), target, f"download {item.url}", transfer, make_folder, self.root)

    def _make_folder_for(self, target: ObsPath, transfer: Transfer) -> None:
        """Create the folders above an object; those that stay empty, since uploads fail, are deleted again."""
        self._bucket(target.bucket)
        above = _above(target, target.under(self.root))
        missing = [folder for folder in above[:-1] if tree.status_or_none(folder) is None]
        if missing:
            transfer.at_end(partial(_remove_empty, missing))
        above[0].mkdir(parents=True, exist_ok=True)

    def _remove(self, path: ObsPath) -> None:
        local = path.under(self.root)
        above = _above(path, local)
        _require_own(path, above)
        with report_os_errors(f"delete {path.url}", self.root):
            local.unlink()
        _tidy(above)

    def _remove_folder(self, folder: ObsPath) -> None:
        local = folder.under(self.root)
        above = _above(folder, local)
        _require_own(folder, above)
        with report_os_errors(f"delete {folder.url}", self.root):
            if local.is_symlink():
                local.unlink()
                if not folder.key:
                    local.mkdir()
            elif folder.key:
                tree.remove(local)
            else:
                for path in list(local.iterdir()):  # the bucket itself exists all the time
                    tree.remove(path)
        _tidy(above)

    def _create_folder(self, folder: ObsPath) -> None:
        self._bucket(folder.bucket)
        with report_os_errors(f"create {folder.url}", self.root):
            folder.under(self.root).mkdir(parents=True, exist_ok=True)

    def _bucket(self, name: str) -> Path:
        local = self.root / name
        with report_os_errors(f"look for bucket {name!r}", self.root):
            status = tree.status_or_none(local)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise no_bucket_error(name)
        return local


def _above(path: ObsPath, local: Path) -> list[Path]:
    """The folders above a path, which is `local`, the nearest first; the last is the bucket."""
    return [*islice(local.parents, path.key.rstrip("/").count("/") + 1)] if path.key else []


def _require_own(path: ObsPath, above: list[Path]) -> None:
    """Refuse to delete what the bucket contains only through a link above it."""
    link = next((folder for folder in above if folder.is_symlink()), None)
    if link is not None:
        raise ObsError(
            f"delete: {path.url} is outside of the bucket: {str(link)!r} is a link to {str(link.resolve())!r}. "
            "Delete it there; or delete the link, which keeps what it links to",
            REFUSED,
        )


def _tidy(above: list[Path]) -> None:
    """Delete the folders that existed only because of what has been deleted, but not the bucket."""
    with suppress(OSError):  # the first that is not empty
        for folder in above[:-1]:
            folder.rmdir()


def _remove_empty(folders: list[Path]) -> None:
    """Delete folders that were created for files whose upload failed."""
    for folder in folders:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _item(path: ObsPath, status: os.stat_result) -> Item:
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Item(path.url, size, datetime.fromtimestamp(int(status.st_mtime), timezone.utc))
