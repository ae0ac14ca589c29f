"""Processes identified by pid and start time, since a pid is reused after its process has ended.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

_KERNEL_THREAD = 0x00200000  # PF_KTHREAD
PATIENCE = 5.0  # seconds in which processes end that were killed
_STATE, _THREADS, _STARTED = 0, 17, 19  # places of `_fields`


class Process(NamedTuple):
    """One process. It is signalled only while the kernel reports the same start time for its pid."""

    pid: int
    started: str  # clock ticks since the boot; empty when unknown, which matches no process

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now."""
        return cls(pid, _start_time(pid))

    @classmethod
    def recorded(cls, record: Any) -> Process:
        """The process of a record in a file, as `_asdict` makes it; pid 0 if it makes no sense."""
        pid, started = (record.get("pid"), record.get("started")) if isinstance(record, dict) else (None, None)
        return cls(pid, started) if type(pid) is int and pid > 0 and isinstance(started, str) else cls(0, "")

    def exists(self) -> bool:
        """Whether it is running, or a zombie."""
        return bool(self.started) and _start_time(self.pid) == self.started

    def is_running(self) -> bool:
        """Whether any of its threads is there. Until the last one has ended, it has its files, locks and ports."""
        fields = _fields(self.pid)
        if not fields or not self.started or fields[_STARTED].decode() != self.started:
            return False
        return fields[_STATE] not in (b"Z", b"X") or int(fields[_THREADS]) > 1

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
        import subprocess  # the supervisor does not need it

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


def descendants(pid: int = 0) -> list[Process]:
    """The running descendants of a process, by default of this one."""
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _fields(int(name))) and fields[0] not in (b"Z", b"X"):
            children.setdefault(int(fields[1]), []).append(Process(int(name), fields[19].decode()))
    found = children.get(pid or os.getpid(), [])
    for process in found:  # it grows meanwhile
        found += children.pop(process.pid, [])
    return found


def end_with_variable(entry: str) -> None:
    """Kill all processes whose environment has this `NAME=value`, as all that a job starts have one."""
    deadline = time.monotonic() + PATIENCE
    while (left := _with_variable(os.fsencode(entry))) and time.monotonic() < deadline:
        for process, is_certain in left.items():
            if is_certain:
                process.signal(signal.SIGKILL)
        time.sleep(0.01)


def _with_variable(entry: bytes) -> dict[Process, bool]:
    """The running processes that have a variable; `False`: it cannot be told yet, since they are starting a program."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        process = Process.of(int(name))
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            variables = _read(name, "environ").split(b"\0")
            is_starting = variables == [b""] and not _read(name, "cmdline") and not _is_of_kernel(process.pid)
            if (entry in variables or is_starting) and process.is_running():
                found[process] = entry in variables
    return found


def _read(pid: str, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def _is_of_kernel(pid: int) -> bool:
    fields = _fields(pid)
    return bool(fields) and bool(int(fields[6]) & _KERNEL_THREAD)


def holders(path: os.PathLike[str]) -> list[Process]:
    """The other processes that have opened a file, such as the one that holds a lock."""
    try:
        wanted = os.stat(path)
    except (OSError, ValueError):
        return []
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        process = Process.of(pid)
        if pid != os.getpid() and _has_opened(pid, os.path.basename(path), wanted):
            found.append(process)
    return found


def _has_opened(pid: int, name: str, wanted: os.stat_result) -> bool:
    with contextlib.suppress(OSError):  # it has ended, or belongs to another user
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            entry = f"/proc/{pid}/fd/{descriptor}"
            with contextlib.suppress(OSError):
                if os.path.basename(os.readlink(entry)) == name and os.path.samestat(os.stat(entry), wanted):
                    return True
    return False


def end_descendants() -> None:
    """Kill all descendants of this process, to which they come as orphans, and reap its children."""
    deadline = time.monotonic() + PATIENCE
    while (left := descendants()) and time.monotonic() < deadline:
        for process in left:
            process.signal(signal.SIGKILL)
        time.sleep(0.002)
        reap_all()


def reap_all() -> None:
    """Reap all children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def signal_all(number: int) -> None:
    """Send a signal to all processes of a PID namespace, of which this one is the first."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, number)


def _start_time(pid: int) -> str:
    """When a process started; empty if it does not exist."""
    fields = _fields(pid)
    return fields[_STARTED].decode() if fields else ""


def _fields(pid: int) -> list[bytes]:
    """What the kernel says of a process, from its state on; empty if it does not exist."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
