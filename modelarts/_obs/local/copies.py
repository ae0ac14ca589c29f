"""Copies of single files between a bucket that is a folder and the rest of this machine."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Callable

import attrs

from modelarts._obs.failures import report_os_errors
from modelarts._obs.transfer.file_content import copied
from modelarts._obs.transfer.modification import modified_error, was_modified
from modelarts._obs.transfer.part_file import PartFile, is_unfinished
from modelarts._obs.transfer.unnamed_file import give_name, open_unnamed
from modelarts._obs.transfer.worker_pool import Transfer

_ATTEMPTS = 8
_CHUNK = 1 << 20


@attrs.frozen
class FileCopy:
    """One file to copy. No reader ever sees an incomplete file under its final name.

    Args:
        source, target: the files.
        action: what this does, for errors.
        transfer: what it is part of.
        make_folder: creates the folder of `target`.
        buckets: the folder of all buckets, for errors.
        fail_if_modified: a source that changes meanwhile is an error. Objects may change while they are downloaded, as
            jobs append to their logs.
    """

    source: Path
    target: Path
    action: str
    transfer: Transfer
    make_folder: Callable[[], None]
    buckets: Path
    fail_if_modified: bool = False

    def __call__(self) -> None:
        self.transfer.check()
        with report_os_errors(self.action, self.buckets), FileIO(os.fspath(self.source)) as file:
            if not self._as_new_file(file):
                self._by_part_file(file)
        self.transfer.meter.finished()

    def _as_new_file(self, file: FileIO) -> bool:
        """The quick way, where nothing has to be replaced or removed; false if something has to be."""
        handle = None if os.path.lexists(self.target) or is_unfinished(self.target) else self._unnamed()
        if handle is None:
            return False
        try:
            length = self._fill(handle, file)
            if give_name(handle, self.target):
                return True
        finally:
            os.close(handle)
        self.transfer.moved(-length)  # another process has just created it
        file.seek(0)
        return False

    def _by_part_file(self, file: FileIO) -> None:
        self.make_folder()
        part_file = PartFile(self.target)
        try:
            part_file.empty()
            self._fill(part_file.handle, file)
            part_file.put_in_place()
        finally:
            part_file.remove()

    def _unnamed(self) -> int | None:
        for _ in range(_ATTEMPTS):
            try:
                return open_unnamed(self.target.parent)
            except FileNotFoundError:  # or it was empty, and has just been removed
                self.make_folder()
        return None

    def _fill(self, handle: int, file: FileIO) -> int:
        """Copy all content; returns its length."""
        before = os.fstat(file.fileno())
        total = 0
        for length in copied(file, handle, before.st_size):
            total += length
            self.transfer.moved(length)
        if self.fail_if_modified and was_modified(before, os.fstat(file.fileno())):
            raise modified_error(self.source)
        self.transfer.check()
        return total


def have_same_content(file: Path, other: Path) -> bool:
    """Whether the content of two files is the same."""
    with file.open("rb") as one, other.open("rb") as two:
        while chunk := one.read(_CHUNK):
            if chunk != two.read(_CHUNK):
                return False
        return not two.read(1)
