"""Which files of a local folder are not uploaded: caches, environments, and what ignore files name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Optional

from modelarts._obs.paths import exists_locally
from modelarts._obs.tree import walk
from modelarts._submit.staging.patterns import IgnoreFile

IGNORE_FILE = ".modelartsignore"
NAMES = (
    ".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".cache",
    ".tox", ".nox", ".venv", "node_modules", ".env", ".DS_Store", "*.pyc", "*.egg-info",
)  # fmt: skip
ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # a folder with one of these is a Python environment

_EXACT = frozenset(name for name in NAMES if "*" not in name)
_WILDCARDS = tuple(name for name in NAMES if "*" in name)


Identity = tuple[int, int]


def identities(folders: Iterable[Path]) -> set[Identity]:
    """Device and inode of folders, which are the same for all their names; folders that cannot be read are skipped."""
    found = set()
    for folder in folders:
        with suppress(OSError):
            found.add(_identity(folder))
    return found


class FileFilter:
    """Decides which files of a folder are ignored, and why.

    Args:
        source: the folder.
        state: folders that hold the state of this package, as `identities` gives them.
    """

    def __init__(self, source: Path, state: Collection[Identity] = ()) -> None:
        self.source = source
        self.names: list[str] = []  # ignored names at the top, as far as the folder was walked
        self._state = state
        self._ignore_files_by_folder: dict[str, Optional[IgnoreFile]] = {}

    def kept(self) -> Iterator[Path]:
        """The files that are not ignored.

        Raises:
            ValueError: an ignore file is not UTF-8.
            OSError: a file or folder cannot be read.
        """
        files = walk(self.source, lambda folder: self._is_kept(folder, True))
        return (file for file in files if self._is_kept(file, False))

    def reason(self, path: Path) -> Optional[str]:
        """Why a path or a folder above it is ignored; `None` when it is not."""
        inside = path.relative_to(self.source)
        steps = [*reversed(inside.parents), inside][1:]  # without the folder itself
        reasons = (self._reason(step.as_posix(), (self.source / step).is_dir()) for step in steps)
        return next(filter(None, reasons), None)

    def _is_kept(self, path: Path, is_folder: bool) -> bool:
        kept = self._reason(path.relative_to(self.source).as_posix(), is_folder) is None
        if not kept and path.parent == self.source and path.name != IGNORE_FILE:
            self.names.append(path.name)
        return kept

    def _reason(self, inside: str, is_folder: bool) -> Optional[str]:
        path = self.source / inside
        if path.name == IGNORE_FILE and not is_folder:
            return "it lists what is ignored"
        if is_folder and self._state and _identity(path) in self._state:
            return "it holds the state of this package"
        default = self._default_reason(path, is_folder)
        for file, below in self._ignore_files(inside):
            pattern = file.deciding(below, is_folder)
            if pattern is not None and (pattern.has_literal_text or not (default and pattern.negated)):
                return None if pattern.negated else f"line {pattern.line} of {file.path} is {pattern.text!r}"
        return default

    def _default_reason(self, path: Path, is_folder: bool) -> Optional[str]:
        name = path.name
        matching = name if name in _EXACT else next((row for row in _WILDCARDS if fnmatchcase(name, row)), None)
        if matching:
            found = f"{matching} is ignored by default"
        elif is_folder and any(exists_locally(path / mark) for mark in ENVIRONMENTS):
            found = f"{name} is a Python environment"
        else:
            return None
        return f"{found}; a line !{name} in {self.source / IGNORE_FILE} includes it"

    def _ignore_files(self, inside: str) -> Iterator[tuple[IgnoreFile, str]]:
        """The ignore files above a path, the nearest first, each with the path relative to its folder."""
        parts = inside.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            folder = "/".join(parts[:depth])
            if folder not in self._ignore_files_by_folder:
                self._ignore_files_by_folder[folder] = IgnoreFile.read(self.source / folder / IGNORE_FILE)
            file = self._ignore_files_by_folder[folder]
            if file is not None:
                yield file, "/".join(parts[depth:])


def _identity(folder: Path) -> Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino
