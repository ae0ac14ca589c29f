"""Copies of the small files of a folder, between a bucket that is a folder and the rest of this machine.

A folder that does not exist yet is filled under another name, and appears when it is complete. So its files need no
other names meanwhile, which makes this as quick as `cp -r`. All that is not as simple is left to `FileCopy`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Callable, Optional

import attrs

from modelarts._obs import tree
from modelarts._obs.transfer.modification import was_modified
from modelarts._obs.transfer.part_folder import PartFolder, remove_leftover
from modelarts._obs.transfer.worker_pool import Transfer

_SMALL = 1 << 20  # bytes; larger files are copied several at once, inside the kernel
_MOST_FILES, _MOST_BYTES = 10_000, 1 << 28  # of one folder with those in it, before it appears
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@attrs.define
class _Batch:
    """A new folder, with what is copied to it and to those in it.

    Args:
        inside: its path below the source; empty, or with a slash at its end.
        target: what it becomes.
    """

    inside: str
    target: Path
    part: Optional[PartFolder] = None  # created for the first file
    names: list[str] = attrs.Factory(list)
    sizes: list[int] = attrs.Factory(list)
    length: int = 0
    incomplete: str = ""  # the file that is being written
    left: list[str] = attrs.Factory(list)

    @property
    def is_full(self) -> bool:
        return len(self.names) + len(self.left) >= _MOST_FILES or self.length >= _MOST_BYTES


class FolderCopy:
    """A copy of one folder.

    Args:
        source, target: the folders.
        transfer: what it is part of.
        make_above: creates the folder in which a path is to be created.
        fail_if_modified: whether a source must not change meanwhile.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        transfer: Transfer,
        make_above: Callable[[Path], None],
        fail_if_modified: bool = False,
    ) -> None:
        self._source = source
        self._target = target
        self._transfer = transfer
        self._make_above = make_above
        self._fail_if_modified = fail_if_modified
        self._batch: Optional[_Batch] = None
        self._is_able = True

    def left(self) -> Iterator[str]:
        """Copy what can be copied; yields the paths of the other files below the source.

        Raises:
            OSError: a folder cannot be read.
        """
        try:
            for inside, names in tree.folders(os.fspath(self._source)):
                batch = self._batch
                if batch and (not self._is_able or batch.is_full or not inside.startswith(batch.inside)):
                    yield from self._put_in_place()
                if self._is_able and self._batch is None:
                    self._batch = self._begin(inside)
                if self._batch is None:
                    yield from (inside + name for name in names)
                elif names:
                    self._fill(self._batch, inside, names)
            yield from self._put_in_place()
        finally:  # what is complete stays, as it does where files are copied one by one
            self._put_in_place()

    def _begin(self, inside: str) -> Optional[_Batch]:
        target = Path(self._target, inside)
        if not os.path.lexists(target):
            return _Batch(inside, target)
        remove_leftover(target)
        return None

    def _fill(self, batch: _Batch, inside: str, names: list[str]) -> None:
        """Copy files of one folder. After a failure, whose reason `FileCopy` finds and reports, nothing more."""
        above = ""
        if self._is_able:
            try:
                above = self._folder_in(batch, inside)
            except OSError:
                self._is_able = False
        source = f"{self._source}/{inside}"
        for place, name in enumerate(names):
            if not self._is_able:
                batch.left += [inside + other for other in names[place:]]
                return
            self._transfer.check()
            size = self._copy(batch, source + name, above + name)
            if size is None:
                batch.left.append(inside + name)
            else:
                batch.names.append(inside + name)
                batch.sizes.append(size)
                batch.length += size

    def _folder_in(self, batch: _Batch, inside: str) -> str:
        """The path of a folder of the batch, which is created."""
        if batch.part is None:
            self._make_above(batch.target)
            batch.part = PartFolder.create(batch.target)
            if batch.part is None:
                raise BlockingIOError
        path = batch.part.path / inside[len(batch.inside) :]
        path.mkdir(parents=True, exist_ok=True)
        return f"{path}{os.sep}"

    def _copy(self, batch: _Batch, source: str, target: str) -> Optional[int]:
        """Copy a small file; returns its size, or `None` if it was not copied."""
        try:
            content = self._content(source)
            if content is None:
                return None
            batch.incomplete = target
            handle = os.open(target, _NEW, 0o666)
            try:
                rest = content
                while rest:
                    rest = rest[os.write(handle, rest) :]
            finally:
                os.close(handle)
        except OSError:
            self._is_able = False
            self._discard_incomplete(batch)
            return None
        batch.incomplete = ""
        return len(content)

    def _content(self, source: str) -> Optional[bytes]:
        """All of a small file that does not change."""
        handle = os.open(source, _READ)
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
        if batch.part is None:
            return batch.left
        self._discard_incomplete(batch)
        if not batch.names:
            batch.part.remove()
            return batch.left
        try:
            batch.part.put_in_place(batch.target)
        except OSError:  # somebody else has just created it, or removed all that is there
            batch.part.remove()
            return batch.names + batch.left
        for size in batch.sizes:
            self._transfer.meter.found(size)
            self._transfer.meter.moved(size)
            self._transfer.meter.finished()
        return batch.left

    def _discard_incomplete(self, batch: _Batch) -> None:
        if batch.incomplete:
            with suppress(FileNotFoundError):
                Path(batch.incomplete).unlink()
            batch.incomplete = ""
