"""Processes that tests started, found by their working directory: the environment of a job is not inherited."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from modelarts.local import daemon
from tests.support.jobs import until


def end_service(home: Path) -> None:
    """Stop the service of a home, and kill the jobs and TensorBoards that would run on."""
    try:
        daemon.stop(home)
    finally:
        kill_below(home)


def kill_below(folder: Path) -> None:
    """Kill the processes whose working directory is in a folder."""
    folder = folder.resolve()
    until(lambda: not [kill(int(process.name)) for process in processes() if is_below(process, folder)])


def processes() -> Iterator[Path]:
    """The folders in /proc of all processes but this one."""
    own = str(os.getpid())
    return (Path("/proc", name) for name in os.listdir("/proc") if name.isdecimal() and name != own)  # noqa: PTH208


def running(command: str) -> list[int]:
    """The pids of all processes whose command contains a text, whatever pid they have inside a job."""
    found = []
    for process in processes():
        with contextlib.suppress(OSError):
            if command.encode() in (process / "cmdline").read_bytes().replace(b"\0", b" "):
                found.append(int(process.name))
    return found


def is_below(process: Path, folder: Path) -> bool:
    """Whether a process works in a folder."""
    try:
        cwd = os.readlink(f"{process}/cwd")  # noqa: PTH115  each test with a service does this for every process
    except OSError:  # it has ended, or belongs to another user
        return False
    return f"{cwd}/".startswith(f"{folder}/")


def children() -> set[int]:
    """The pids of the processes that this one has started and that have not been waited for."""
    while True:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread has just ended: read again
            return {int(pid) for thread in os.listdir("/proc/self/task") for pid in _children_of(thread)}  # noqa: PTH208


def _children_of(thread: str) -> list[bytes]:
    """Pids as text. Read without buffers, since this runs twice for each test."""
    descriptor = os.open(f"/proc/self/task/{thread}/children", os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 16).split()
    finally:
        os.close(descriptor)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
