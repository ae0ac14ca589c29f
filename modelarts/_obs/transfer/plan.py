"""Uploads and downloads of any number of files, to and from every kind of storage."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Callable

from modelarts._obs import tree
from modelarts._obs.arguments import thread_count
from modelarts._obs.backend import Item, StorageBackend
from modelarts._obs.failures import FAILED, report_os_errors
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import local_names
from modelarts._obs.transfer.part_file import is_unfinished
from modelarts._obs.transfer.worker_pool import MoreTasks, Task, Transfer, create_meter
from modelarts.errors import ObsError

_NAMED = 3


class TransferPlan:
    """One upload or download.

    With `sync`, files that are up to date are skipped, except where an earlier transfer was interrupted: this one
    resumes it or removes what it left.

    Args:
        store: the storage that holds the buckets.
        title: what is transferred, for the progress line.
        threads, progress: the arguments of the caller.
    """

    def __init__(self, store: StorageBackend, title: str, threads: int | None, progress: bool | None) -> None:
        count = thread_count(store.threads if threads is None else threads)
        self._store = store
        self.transfer = Transfer(count, create_meter(title, progress), store._timeouts())

    def upload(self, pairs: Iterable[tuple[Path, ObsPath]], existing: Iterable[Item], bucket: str) -> None:
        """Upload files, except those whose content an existing item has. The bucket must exist, even for no files."""
        self.transfer.run(self._uploads(pairs, existing, bucket))

    def download(self, pairs: Iterable[tuple[Item, Path]], sync: bool) -> None:
        """Download objects; with `sync`, except those that are up to date."""
        self.transfer.run(self._downloads(pairs, sync))

    def _uploads(self, pairs: Iterable[tuple[Path, ObsPath]], existing: Iterable[Item], bucket: str) -> Iterator[Task]:
        known = {item.url: item for item in existing}
        is_empty = True
        for source, target in pairs:
            is_empty = False
            with report_os_errors(f"upload to {target.url}"):
                size = source.stat().st_size
            self.transfer.meter.found(size)
            item = known.get(target.url)
            tasks = partial(self._store._upload_tasks, source, target, self.transfer)
            if item is not None and item.size == size and not self._store._has_unfinished_upload(target):
                yield from self._worth_a_thread(size, iter([partial(self._unless_same, source, item, tasks)]))
            else:
                yield from self._worth_a_thread(size, tasks())
        if is_empty:
            self._store._require_bucket(bucket)

    def _downloads(self, pairs: Iterable[tuple[Item, Path]], sync: bool) -> Iterator[Task]:
        for item, target in pairs:
            self.transfer.meter.found(item.size)
            tasks = partial(self._store._download_tasks, item, target, self.transfer)
            with report_os_errors(f"download {item.url}"):
                has_size = sync and target.is_file() and target.stat().st_size == item.size
                is_complete = has_size and not is_unfinished(target)
            if is_complete:
                yield from self._worth_a_thread(item.size, iter([partial(self._unless_same, target, item, tasks)]))
            else:
                yield from self._worth_a_thread(item.size, tasks())

    def _worth_a_thread(self, size: int, tasks: Iterator[Task]) -> Iterator[Task]:
        """The tasks of a file, which are done here at once where handing them over takes longer than to do them."""
        if size > self._store.quick:
            yield from tasks
        else:
            for task in tasks:
                more = task()
                if isinstance(more, MoreTasks):
                    yield from self._worth_a_thread(size, more.tasks)

    def _unless_same(self, file: Path, item: Item, tasks: Callable[[], Iterator[Task]]) -> MoreTasks | None:
        self.transfer.check()
        with report_os_errors(f"compare with {item.url}"):
            same = self._store._has_content(file, item)
        if not same:
            return MoreTasks(tasks())
        self.transfer.meter.skipped(item.size)
        return None


class DownloadTargets:
    """The local files for the objects of a folder; never a path outside of the target.

    Args:
        folder: the folder of a bucket.
        target: the local folder for its content.
    """

    def __init__(self, folder: ObsPath, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._skipped: list[str] = []
        self._count = 0
        self._files: list[str] = []  # those whose keys the current key begins with
        self._identities: set[str] = set()  # of the files, on systems where two keys may be one file
        self._usable: dict[str, bool] = {}  # whether a folder exists or can be created

    def pairs(self, items: Iterable[Item]) -> Iterator[tuple[Item, Path]]:
        """The objects that can be local files, each with its file. The items must be in the order of their keys."""
        for item in items:
            inside = item.path.key[len(self._folder.key) :]
            if not item.is_dir and self._can_be_local(inside):
                self._files.append(inside)
                yield item, self._target / inside
            elif not item.is_dir or item.size:
                self._count += 1
                self._skipped += [item.url] if self._count <= _NAMED else []

    def _can_be_local(self, inside: str) -> bool:
        if not local_names.can_be_file(inside) or self._is_below_file(inside) or not self._is_free(inside):
            return False
        return local_names.IS_CASE_SENSITIVE or self._is_first(local_names.file_identity(inside))

    def _is_first(self, identity: str) -> bool:
        """Whether no object before has the same local file."""
        is_first = identity not in self._identities
        self._identities.add(identity)
        return is_first

    def _is_free(self, inside: str) -> bool:
        """Whether no local folder has this name, and no local file that of a folder above it."""
        with report_os_errors(f"download {self._folder.url}{inside}"):
            status = tree.status_or_none(self._target / inside)
            is_folder = status is not None and stat.S_ISDIR(status.st_mode)
            return not is_folder and self._can_be_folder(inside.rpartition("/")[0])

    def _can_be_folder(self, folder: str) -> bool:
        if folder and folder not in self._usable:
            status = tree.status_or_none(self._target / folder)
            is_free = status is None or stat.S_ISDIR(status.st_mode)
            self._usable[folder] = is_free and self._can_be_folder(folder.rpartition("/")[0])
        return self._usable.get(folder, True)

    def _is_below_file(self, key: str) -> bool:
        """Whether an object has the name of a folder above this key; all keys in between begin with that name."""
        while self._files and not key.startswith(self._files[-1]):
            self._files.pop()
        return any(key.startswith(f"{file}/") for file in self._files)

    def raise_if_any_skipped(self) -> None:
        """Raises `ObsError` that names objects which were skipped, if any were."""
        if not self._count:
            return
        named = ", ".join(map(repr, self._skipped)) + (" …" if self._count > _NAMED else "")
        raise ObsError(
            f"download_dir: {self._count} object(s) were skipped, all others were downloaded. They cannot be local "
            "files because of their names, or because two files or a file and a folder would have the same name: "
            f"{named}. Copy them to other names in the console or with session.get_obs_client(), or rename the local "
            "file or folder.",
            FAILED,
        )
