"""What of a local folder does not go along with a job: caches, environments, and what ignore files name."""

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
ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # what a folder holds that is an environment of Python, whatever its name

_PLAIN = frozenset(name for name in NAMES if "*" not in name)
_ENDINGS = tuple(name for name in NAMES if "*" in name)


Identity = tuple[int, int]


def identities(folders: Iterable[Path]) -> set[Identity]:
    """What folders are, by whatever name; of those that can be seen."""
    found = set()
    for folder in folders:
        with suppress(OSError):
            found.add(_identity(folder))
    return found


class FileFilter:
    """Tells what of a folder stays here, and why.

    Args:
        source: the folder.
        state: folders that hold the state of this package, as `identities` gives them.
    """

    def __init__(self, source: Path, state: Collection[Identity] = ()) -> None:
        self.source = source
        self.names: list[str] = []  # what was met at the top and left out
        self._state = state
        self._read: dict[str, Optional[IgnoreFile]] = {}

    def kept(self) -> Iterator[Path]:
        """The files that go along.

        Raises:
            ValueError: an ignore file is not text.
            OSError: something cannot be read.
        """
        return (file for file in walk(self.source, lambda path: self._goes(path, True)) if self._goes(file, False))

    def reason(self, path: Path) -> Optional[str]:
        """Why a path stays here, or a folder on the way to it; nothing when it goes along."""
        inside = path.relative_to(self.source)
        steps = [*reversed(inside.parents), inside][1:]  # without the folder itself
        reasons = (self._reason(step.as_posix(), (self.source / step).is_dir()) for step in steps)
        return next(filter(None, reasons), None)

    def _goes(self, path: Path, is_folder: bool) -> bool:
        goes = self._reason(path.relative_to(self.source).as_posix(), is_folder) is None
        if not goes and path.parent == self.source and path.name != IGNORE_FILE:
            self.names.append(path.name)
        return goes

    def _reason(self, inside: str, is_folder: bool) -> Optional[str]:
        path = self.source / inside
        if path.name == IGNORE_FILE and not is_folder:
            return "it says what is left out"
        if is_folder and self._state and _identity(path) in self._state:
            return "it holds the state of this package"
        usual = self._usual(path, is_folder)
        for file, below in self._ignore_files(inside):
            pattern = file.deciding(below, is_folder)
            if pattern is not None and (pattern.names_something or not (usual and pattern.negated)):
                return None if pattern.negated else f"line {pattern.line} of {file.path} is {pattern.text!r}"
        return usual

    def _usual(self, path: Path, is_folder: bool) -> Optional[str]:
        name = path.name
        matching = name if name in _PLAIN else next((row for row in _ENDINGS if fnmatchcase(name, row)), None)
        if matching:
            found = f"{matching} is always left out"
        elif is_folder and any(exists_locally(path / mark) for mark in ENVIRONMENTS):
            found = f"{name} is an environment of Python"
        else:
            return None
        return f"{found}; a line !{name} in {self.source / IGNORE_FILE} brings it back"

    def _ignore_files(self, inside: str) -> Iterator[tuple[IgnoreFile, str]]:
        """The ignore files above a path, the nearest first, each with the path relative to its folder."""
        parts = inside.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            folder = "/".join(parts[:depth])
            if folder not in self._read:
                self._read[folder] = IgnoreFile.read(self.source / folder / IGNORE_FILE)
            file = self._read[folder]
            if file is not None:
                yield file, "/".join(parts[depth:])


def _identity(folder: Path) -> Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino
