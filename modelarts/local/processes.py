"""Processes known by pid and start time: the pid alone may belong to another process by now.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import os
from typing import Callable, NamedTuple


class Process(NamedTuple):
    """One process. It is signalled only while the kernel reports the same start time for its pid."""

    pid: int
    started: str  # clock ticks since the boot; empty when unknown, which matches no process

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now."""
        return cls(pid, _stat(pid)[1])

    @classmethod
    def parse(cls, text: str) -> Process:
        """The process that `str()` wrote; one that matches nothing if the text is no such line."""
        pid, _, started = text.strip().partition(" ")
        return cls(int(pid), started) if pid.isdecimal() else cls(0, "")

    def __str__(self) -> str:
        return f"{self.pid} {self.started}"

    def exists(self) -> bool:
        """Whether it runs, or has ended and its parent has not waited for it yet."""
        return bool(self.started) and _stat(self.pid)[1] == self.started

    def is_running(self) -> bool:
        state, started = _stat(self.pid)
        return bool(self.started) and started == self.started and state not in ("Z", "X")

    def signal(self, number: int) -> bool:
        """Send a signal; whether the process was still there to receive it."""
        return self._send(os.kill, number)

    def signal_group(self, number: int) -> bool:
        """Send a signal to the process group that it leads; whether the process was still there."""
        return self._send(os.killpg, number)

    def _send(self, send: Callable[[int, int], None], number: int) -> bool:
        if not self.exists():
            return False
        try:
            send(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _stat(pid: int) -> tuple[str, str]:
    """State and start time of a process; both empty when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return "", ""
    return fields[0].decode(), fields[19].decode()
