"""Processes identified by pid and start time, since a pid is reused after its process has ended.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple


class Process(NamedTuple):
    """One process. It is signalled only while the kernel reports the same start time for its pid."""

    pid: int
    started: str  # clock ticks since the boot; empty when unknown, which matches no process

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now."""
        return cls(pid, _stat(pid)[1])

    def exists(self) -> bool:
        """Whether it is running, or a zombie."""
        return bool(self.started) and _stat(self.pid)[1] == self.started

    def is_running(self) -> bool:
        state, started = _stat(self.pid)
        return bool(self.started) and started == self.started and state not in ("Z", "X")

    def signal(self, number: int) -> bool:
        """Send a signal. Returns whether the process existed."""
        return self._send(os.kill, number)

    def signal_group(self, number: int) -> bool:
        """Send a signal to the process group that it leads. Returns whether the process existed."""
        return self._send(os.killpg, number)

    def _send(self, send: Callable[[int, int], None], number: int) -> bool:
        if not self.exists():
            return False
        try:
            send(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class Children:
    """Processes that this one starts, each as the leader of a session of its own. They may outlive it."""

    def __init__(self) -> None:
        self._pids: list[int] = []

    def start(self, argv: Sequence[str], **options: Any) -> Process:
        """Start a process, with options of `subprocess.Popen`. Raises `OSError`."""
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        child.returncode = 0  # no warning that it still runs when the handle is dropped
        self._pids.append(child.pid)
        return Process.of(child.pid)

    def reap(self) -> None:
        """Reap those that have ended."""
        self._pids = [pid for pid in self._pids if not _reaped(pid)]


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # SIGCHLD is ignored: the kernel reaps them
        return True


def _stat(pid: int) -> tuple[str, str]:
    """State and start time of a process; both empty if it does not exist."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return "", ""
    return fields[0].decode(), fields[19].decode()
