"""Environments with packages that jobs required, each installed once for all jobs that require the same.

An environment is complete when its record exists. Its lock is held by whoever installs it, and shared by the jobs that
use it, so that it is neither used too early nor removed too early. Standard library only: the supervisor uses this.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, NamedTuple, Optional

from modelarts.local import files

RECORD = "environment.json"
_PAUSE = 0.1  # seconds between attempts to get a lock


class Cancelled(Exception):
    """A wait for a lock was given up."""


class Record(NamedTuple):
    """What an environment is for."""

    requirements: str  # the text of the file
    interpreter: str
    installer: str
    created: int  # epoch seconds


class CachedEnvironment(NamedTuple):
    """An environment as the cache lists it."""

    key: str
    folder: str
    record: Optional[Record]  # `None`: it is incomplete
    size: int  # bytes on the disk
    used: float  # when it was last used, in epoch seconds
    in_use: bool


class EnvironmentCache:
    """The environments in a folder, by a key that says what is in them."""

    def __init__(self, root: str) -> None:
        self.root = root

    def folder(self, key: str) -> str:
        return os.path.join(self.root, key)

    def is_complete(self, key: str) -> bool:
        return _record(self.folder(key)) is not None

    def complete(self, key: str, record: Record) -> None:
        """Mark an environment as complete. Its lock must be held."""
        files.write(os.path.join(self.folder(key), RECORD), json.dumps(record._asdict()).encode())

    def obtain(self, key: str, wait: Callable[[float], bool], install: Callable[[str], Record]) -> int:
        """Make sure that an environment is complete, and keep it from being removed.

        Args:
            wait: waits so many seconds; returns whether to give up.
            install: installs it in a folder that does not exist; called by one process at a time.

        Returns:
            A descriptor. The environment is in use until it is closed, also by a child that inherited it.

        Raises:
            Cancelled: `wait` gave up.
        """
        os.makedirs(self.root, 0o700, exist_ok=True)
        while True:
            descriptor = self._locked(key, fcntl.LOCK_SH, wait)
            if self.is_complete(key):
                os.utime(descriptor)
                return descriptor
            os.close(descriptor)
            descriptor = self._locked(key, fcntl.LOCK_EX, wait)
            try:
                if not self.is_complete(key):
                    shutil.rmtree(self.folder(key), ignore_errors=True)  # of an installation that was interrupted
                    self.complete(key, install(self.folder(key)))
            except BaseException:
                shutil.rmtree(self.folder(key), ignore_errors=True)
                raise
            finally:
                os.close(descriptor)

    def environments(self) -> list[CachedEnvironment]:
        """All environments, the last used one first."""
        keys = [name[: -len(".lock")] for name in self._names() if name.endswith(".lock")]
        found = [self._environment(key) for key in keys if os.path.isdir(self.folder(key))]
        return sorted(found, key=lambda one: one.used, reverse=True)

    def clear(self) -> tuple[list[CachedEnvironment], list[CachedEnvironment]]:
        """Remove all environments that no job uses. Returns those that were removed, and those in use."""
        removed: list[CachedEnvironment] = []
        kept: list[CachedEnvironment] = []
        for one in self.environments():
            try:
                with self._exclusively(one.key):
                    shutil.rmtree(one.folder)
            except BlockingIOError:
                kept.append(one)
            else:
                removed.append(one)
        return removed, kept

    def _names(self) -> list[str]:
        return os.listdir(self.root) if os.path.isdir(self.root) else []

    def _environment(self, key: str) -> CachedEnvironment:
        folder, lock = self.folder(key), self._lock(key)
        try:
            with self._exclusively(key):
                in_use = False
        except BlockingIOError:
            in_use = True
        return CachedEnvironment(key, folder, _record(folder), size_of(folder), os.stat(lock).st_mtime, in_use)

    def _lock(self, key: str) -> str:
        return os.path.join(self.root, f"{key}.lock")

    def _locked(self, key: str, kind: int, wait: Callable[[float], bool]) -> int:
        descriptor = os.open(self._lock(key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if wait(_PAUSE):
                    os.close(descriptor)
                    raise Cancelled from None
            else:
                return descriptor

    @contextmanager
    def _exclusively(self, key: str) -> Iterator[None]:
        """Hold the lock. Raises `BlockingIOError` if the environment is in use."""
        descriptor = os.open(self._lock(key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)


def size_of(folder: str) -> int:
    """The bytes on the disk of all files in a folder; hard links to the same file count once."""
    seen: dict[tuple[int, int], int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(parent, name))
            except OSError:  # removed meanwhile
                continue
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def now() -> int:
    return int(time.time())


def _record(folder: str) -> Optional[Record]:
    try:
        stored: Any = json.loads(files.read(os.path.join(folder, RECORD), files.JSON_BYTES))
        return Record(**stored)
    except (OSError, ValueError, RecursionError, TypeError):
        return None
