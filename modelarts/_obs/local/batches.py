"""Small files that are written where nobody sees them, and then appear all at once, or one by one, each complete."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Callable, Optional

from modelarts._obs.paths import PART
from modelarts._obs.transfer.part_file import part_name
from modelarts._obs.transfer.part_folder import PartFolder, beside, remove_leftovers, within
from modelarts._obs.transfer.worker_pool import Transfer

_MOST_BYTES = 1 << 28


class Staging:
    """The hidden folder in which a transfer writes; it is created when it is needed, and removed at the end.

    Args:
        top: the folder to copy to.
        transfer: what it is part of.
        make_parent: creates the folder that a path is in.
    """

    def __init__(self, top: Path, transfer: Transfer, make_parent: Callable[[Path], None]) -> None:
        self._top = top
        self._transfer = transfer
        self.make_parent = make_parent
        self._path = self._for_files = ""
        self._numbers = itertools.count()
        remove_leftovers(top)

    def folder(self) -> str:
        """A new folder in it. Raises `OSError`."""
        path = f"{self._created()}{os.sep}{next(self._numbers)}"
        os.mkdir(path)  # noqa: PTH102  a text is quicker than a Path, here and below
        return path

    def folder_for_files(self) -> str:
        """A folder in it, always the same. Raises `OSError`."""
        self._for_files = self._for_files or self.folder()
        return self._for_files

    def _created(self) -> str:
        if not self._path:
            is_there = self._top.is_dir()
            if not is_there:
                self.make_parent(self._top)
            part = PartFolder.create(within(self._top) if is_there else beside(self._top))
            self._transfer.at_end(part.remove)
            self._path = os.fspath(part.path)
        return self._path


class Batch(ABC):
    """Files below one folder.

    Args:
        inside: the path of the folder below the source; empty, or with a slash at its end.
        target: the folder that they are copied to.
        staging: where they are written.
    """

    most_files: int

    def __init__(self, inside: str, target: Path, staging: Staging) -> None:
        self.inside = inside
        self.target = target
        self.not_copied: list[str] = []  # files that were not copied, as paths below the source
        self._names: list[str] = []  # complete files
        self._sizes: list[int] = []  # theirs
        self._length = 0
        self._staging = staging
        self._path = ""
        self._incomplete = ""  # the file that is being written

    @property
    def is_full(self) -> bool:
        return len(self._names) + len(self.not_copied) >= self.most_files or self._length >= _MOST_BYTES

    @property
    def is_empty(self) -> bool:
        return not self._names

    def folder(self, inside: str) -> str:
        """Where files of a folder are written, with a slash at its end. Raises `OSError`."""
        self._path = self._path or self._new_path()
        if inside == self.inside:
            return f"{self._path}{os.sep}"
        path = f"{self._path}{os.sep}{inside[len(self.inside) :]}"
        try:
            os.mkdir(path)  # noqa: PTH102
        except FileNotFoundError:  # no files are in the folders above
            os.makedirs(path)  # noqa: PTH103
        return path

    @abstractmethod
    def _new_path(self) -> str:
        """A folder to write in. Raises `OSError`."""

    @abstractmethod
    def covers(self, inside: str) -> bool:
        """Whether files of this folder can be added."""

    @abstractmethod
    def can_take(self, name: str) -> bool:
        """Whether a file of this name can be added."""

    def begin(self, path: str) -> None:
        self._incomplete = path

    def complete(self, name: str, size: int) -> None:
        self._incomplete = ""
        self._names.append(name)
        self._sizes.append(size)
        self._length += size

    def discard(self) -> None:
        """Remove the file that is being written."""
        if self._incomplete:
            with suppress(FileNotFoundError):
                Path(self._incomplete).unlink()
            self._incomplete = ""

    def put_in_place(self) -> list[int]:
        """Let the complete files appear; those that cannot are added to `not_copied`. Returns the sizes of the rest."""
        if not self._path:
            return []
        self.discard()
        return [*self._appear()]

    @abstractmethod
    def _appear(self) -> Iterator[int]: ...


class NewFolder(Batch):
    """Files of a folder that does not exist yet, and of all folders in it."""

    most_files = 10_000

    def _new_path(self) -> str:
        return self._staging.folder()

    def covers(self, inside: str) -> bool:
        return inside.startswith(self.inside)

    def can_take(self, name: str) -> bool:
        return True

    def _appear(self) -> Iterator[int]:
        try:
            if self._names:
                self._rename()
                yield from self._sizes
                return
        except OSError:  # somebody else has just created it, or removed all that is there
            self.not_copied = self._names + self.not_copied
        shutil.rmtree(self._path, ignore_errors=True)

    def _rename(self) -> None:
        try:
            os.rename(self._path, self.target)  # noqa: PTH104
        except FileNotFoundError:
            self._staging.make_parent(self.target)
            os.rename(self._path, self.target)  # noqa: PTH104


class Additions(Batch):
    """Files for a folder that exists.

    Args:
        existing: what it contains: names, and whether each is a folder.
        replace: whether to replace files that are there.
    """

    most_files = 256  # those that they replace need space until they appear

    def __init__(self, inside: str, target: Path, staging: Staging, existing: dict[str, bool], replace: bool) -> None:
        super().__init__(inside, target, staging)
        self._existing = existing
        self._replace = replace
        self._parts = tuple(name for name in existing if name.startswith(PART))
        self._is_blocked = False  # by a folder: probably an error, which ends the transfer
        self._mode: Optional[int] = None  # of new files

    @property
    def is_full(self) -> bool:
        return self._is_blocked or super().is_full

    def _new_path(self) -> str:
        return self._staging.folder_for_files()

    def covers(self, inside: str) -> bool:
        return inside == self.inside

    def can_take(self, name: str) -> bool:
        if self._parts and any(part.startswith(part_name(name)) for part in self._parts):
            return False  # there is an incomplete file, which another process may be writing
        is_folder = self._existing.get(name)
        self._is_blocked = bool(is_folder)
        return is_folder is None or (self._replace and not is_folder)

    def _appear(self) -> Iterator[int]:
        source, target, above = f"{self._path}{os.sep}", f"{self.target}{os.sep}", len(self.inside)
        for path, size in zip(self._names, self._sizes):
            name = path[above:]
            try:
                if name in self._existing:
                    self._take_mode(source + name, target + name)
                os.replace(source + name, target + name)  # noqa: PTH105
                yield size
            except OSError:  # a folder of this name has just been created, or all has been removed
                self.not_copied.append(path)
                with suppress(FileNotFoundError):
                    os.unlink(source + name)  # noqa: PTH108

    def _take_mode(self, part: str, target: str) -> None:
        with suppress(FileNotFoundError, PermissionError):
            mode = stat.S_IMODE(os.stat(target).st_mode)  # noqa: PTH116
            if self._mode is None:
                self._mode = stat.S_IMODE(os.stat(part).st_mode)  # noqa: PTH116
            if mode != self._mode:
                os.chmod(part, mode)  # noqa: PTH101
