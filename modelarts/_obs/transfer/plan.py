"""Uploads and downloads of any number of files, wherever the buckets are."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Callable

from modelarts._obs import tree
from modelarts._obs.arguments import thread_count
from modelarts._obs.backend import Item, StorageBackend
from modelarts._obs.failures import FAILED, explained
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.local_names import can_be_file
from modelarts._obs.transfer.part_file import is_unfinished
from modelarts._obs.transfer.worker_pool import MoreTasks, Task, Transfer, shown
from modelarts.errors import ObsError

_NAMED = 3


class TransferPlan:
    """One upload or download of a store.

    What is there already is left out where that is asked for, unless something of an earlier attempt is there, too:
    then this one goes on with it, or removes it.

    Args:
        store: where the buckets are.
        title: what is moved where, for those who look.
        threads, progress: as the caller gave them.
    """

    def __init__(self, store: StorageBackend, title: str, threads: int | None, progress: bool | None) -> None:
        count = thread_count(store.threads if threads is None else threads)
        self._store = store
        self._transfer = Transfer(count, shown(title, progress), store._time_outs())

    def upload(self, pairs: Iterable[tuple[Path, ObsPath]], there: Iterable[Item], bucket: str) -> None:
        """Upload files, except those whose content is there already; the bucket must exist, also for none of them."""
        self._transfer.run(self._uploads(pairs, there, bucket))

    def download(self, pairs: Iterable[tuple[Item, Path]], sync: bool) -> None:
        """Download objects; with `sync`, except those that are there already."""
        self._transfer.run(self._downloads(pairs, sync))

    def _uploads(self, pairs: Iterable[tuple[Path, ObsPath]], there: Iterable[Item], bucket: str) -> Iterator[Task]:
        known = {item.url: item for item in there}
        nothing = True
        for source, target in pairs:
            nothing = False
            with explained(f"upload to {target.url}"):
                size = source.stat().st_size
            self._transfer.meter.found(size)
            item = known.get(target.url)
            work = partial(self._store._sending, source, target, self._transfer)
            if item is not None and item.size == size and not self._store._was_cut_off(target):
                yield partial(self._unless_same, source, item, work)
            else:
                yield from work()
        if nothing:
            self._store._require_bucket(bucket)

    def _downloads(self, pairs: Iterable[tuple[Item, Path]], sync: bool) -> Iterator[Task]:
        for item, target in pairs:
            self._transfer.meter.found(item.size)
            work = partial(self._store._fetching, item, target, self._transfer)
            with explained(f"download {item.url}"):
                has_size = sync and target.is_file() and target.stat().st_size == item.size
                is_complete = has_size and not is_unfinished(target)
            if is_complete:
                yield partial(self._unless_same, target, item, work)
            else:
                yield from work()

    def _unless_same(self, file: Path, item: Item, work: Callable[[], Iterator[Task]]) -> MoreTasks | None:
        self._transfer.check()
        with explained(f"compare with {item.url}"):
            same = self._store._same(file, item)
        if not same:
            return MoreTasks(work())
        self._transfer.meter.left_out(item.size)
        return None


class DownloadTargets:
    """Where the objects of a folder go on this machine; never to a place outside of the target.

    Args:
        folder: the folder of a bucket.
        target: the local folder that gets what is in it.
    """

    def __init__(self, folder: ObsPath, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._left_out: list[str] = []
        self._count = 0
        self._files: list[str] = []  # those that the key at hand begins with
        self._made: dict[str, bool] = {}  # whether a folder is there, or can be

    def pairs(self, items: Iterable[Item]) -> Iterator[tuple[Item, Path]]:
        """The objects that can be files, each with its place; they come in the order of their keys."""
        for item in items:
            inside = item.path.key[len(self._folder.key) :]
            if not item.is_dir and can_be_file(inside) and not self._is_below_file(inside) and self._has_room(inside):
                self._files.append(inside)
                yield item, self._target / inside
            elif not item.is_dir or item.size:
                self._count += 1
                self._left_out += [item.url] if self._count <= _NAMED else []

    def _has_room(self, inside: str) -> bool:
        """Whether neither a local folder has the name, nor a local file that of a folder around it."""
        with explained(f"download {self._folder.url}{inside}"):
            status = tree.status_of(self._target / inside)
            return (status is None or not stat.S_ISDIR(status.st_mode)) and self._can_be_made(inside.rpartition("/")[0])

    def _can_be_made(self, folder: str) -> bool:
        if folder and folder not in self._made:
            status = tree.status_of(self._target / folder)
            is_free = status is None or stat.S_ISDIR(status.st_mode)
            self._made[folder] = is_free and self._can_be_made(folder.rpartition("/")[0])
        return self._made.get(folder, True)

    def _is_below_file(self, key: str) -> bool:
        """Whether a file has the name that a folder around this key must have; all keys between begin with it."""
        while self._files and not key.startswith(self._files[-1]):
            self._files.pop()
        return any(key.startswith(f"{file}/") for file in self._files)

    def complain(self) -> None:
        """Name what was left out. Raises `ObsError` if anything was."""
        if not self._count:
            return
        named = ", ".join(map(repr, self._left_out)) + (" …" if self._count > _NAMED else "")
        raise ObsError(
            f"download_dir: all else was downloaded, but {self._count} object(s) cannot be local files, for their "
            f"names, for a file above them (here or there) or for a local folder of their name: {named}. Copy them to "
            "other names, in the console or with session.get_obs_client(), or move the folder away.",
            FAILED,
        )
