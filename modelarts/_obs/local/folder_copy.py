"""Copies of the small files of a folder, between a bucket that is a folder and the rest of this machine.

They are written in a folder that nobody else knows, and need no other names and locks there, which makes this nearly as
quick as `cp -r`. All that is not as simple is left to `FileCopy`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Optional

from modelarts._obs.local.batches import Additions, Batch, NewFolder, Staging
from modelarts._obs.transfer.modification import was_modified
from modelarts._obs.transfer.worker_pool import Transfer

_SMALL = 1 << 20  # bytes; larger files are copied several at once, inside the kernel
_FEW = 8  # files of a folder that are opened sooner than the folder and these files
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class FolderCopy:
    """A copy of one folder.

    Args:
        source, target: the folders.
        transfer: what it is part of.
        make_parent: creates the folder in which a path is to be created.
        replace: whether to replace files that the target has.
        fail_if_modified: whether a source must not change meanwhile.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        transfer: Transfer,
        make_parent: Callable[[Path], None],
        *,
        replace: bool,
        fail_if_modified: bool = False,
    ) -> None:
        self._source = source
        self._target = target
        self._transfer = transfer
        self._staging = Staging(target, transfer, make_parent)
        self._replace = replace
        self._fail_if_modified = fail_if_modified
        self._batch: Optional[Batch] = None
        self._has_failed = False
        self._existing: tuple[str, dict[str, bool]] = "/", {}  # one of its folders, and what the target has there

    def copy(self, folders: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
        """Copy what can be copied; yields the paths of the other files below the source.

        Args:
            folders: paths below the source, and names of files in them; a folder is followed by those in it.
        """
        try:
            for inside, names in folders:
                if self._batch and not self._batch.covers(inside):
                    yield from self._put_in_place()
                position = 0
                while not self._has_failed and (batch := self._batch or self._begin(inside, names)):
                    self._batch = batch
                    position = self._fill(batch, inside, names, position)
                    if batch.is_full or self._has_failed:
                        yield from self._put_in_place()
                    if position == len(names):
                        break
                yield from (inside + name for name in names[position:])
            yield from self._put_in_place()
        finally:  # what is complete stays, as it does where files are copied one by one
            self._put_in_place()

    def _begin(self, inside: str, names: list[str]) -> Optional[Batch]:
        target = self._target / inside
        try:
            if not os.path.lexists(target):
                return NewFolder(inside, target, self._staging)
            if self._existing[0] != inside:
                with os.scandir(target) as found:
                    self._existing = inside, {entry.name: entry.is_dir(follow_symlinks=False) for entry in found}
        except OSError:  # it is a file
            return None
        return Additions(inside, target, self._staging, self._existing[1], self._replace) if names else None

    def _fill(self, batch: Batch, inside: str, names: list[str], position: int) -> int:
        """Copy files of one folder; returns the position of the first name that is not in the batch.

        After a failure, whose reason `FileCopy` finds and reports, nothing more is copied.
        """
        if position == len(names):
            return position
        try:
            path, above = batch.folder(inside), f"{self._source}{os.sep}{inside}"
            with _opened(above, names) as (source, to_source), _opened(path, names) as (target, to_target):
                for name in names[position:]:
                    if batch.is_full:
                        break
                    self._transfer.check()
                    content = self._content(source, to_source + name) if batch.can_take(name) else None
                    if content is None:
                        batch.not_copied.append(inside + name)
                    else:
                        batch.begin(path + name)
                        _write(target, to_target + name, content)
                        batch.complete(inside + name, len(content))
                    position += 1
        except OSError:
            self._has_failed = True
        return position

    def _content(self, folder: Optional[int], name: str) -> Optional[bytes]:
        """All of a small file that does not change."""
        handle = os.open(name, _READ, dir_fd=folder)
        try:
            before = os.fstat(handle)
            if before.st_size > _SMALL:
                return None
            content = os.read(handle, before.st_size + 1)
            if len(content) != before.st_size or (self._fail_if_modified and was_modified(before, os.fstat(handle))):
                return None
            return content
        finally:
            os.close(handle)

    def _put_in_place(self) -> list[str]:
        """Let the batch appear; returns the paths of the files that it does not contain."""
        batch, self._batch = self._batch, None
        if batch is None:
            return []
        sizes = batch.put_in_place()
        self._has_failed = self._has_failed or not (sizes or batch.is_empty)  # as on another file system
        for size in sizes:
            self._transfer.meter.found(size)
            self._transfer.meter.moved(size)
            self._transfer.meter.finished()
        return batch.not_copied


@contextmanager
def _opened(folder: str, names: list[str]) -> Iterator[tuple[Optional[int], str]]:
    """A descriptor from which names are found sooner than by their paths, and what to write before each name."""
    if len(names) < _FEW:
        yield None, folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle, ""
    finally:
        os.close(handle)


def _write(folder: Optional[int], name: str, content: bytes) -> None:
    handle = os.open(name, _NEW, 0o666, dir_fd=folder)
    try:
        while content:
            content = content[os.write(handle, content) :]
    finally:
        os.close(handle)
