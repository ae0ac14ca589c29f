"""Versions as processes of this machine, each under a supervisor that outlives the service.

A supervisor holds the lock in its version's folder as long as it lives, and renames its record of the end into place.
If the record exists, the version has ended. If not, it is running while the lock is held, and otherwise lost.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Callable

from modelarts.local import hardware, locks
from modelarts.local.daemon import JOB_SESSION
from modelarts.local.paths import JobPaths, read_json
from modelarts.local.places import images
from modelarts.local.places.base import ENDED, Phase, State, Unreachable
from modelarts.local.places.supervisors import Supervisors
from modelarts.local.processes import PATIENCE, Process, descendants, end_with_variable, holders

_ENDS = {phase.value: phase for phase in ENDED}
_TIME_LIMIT = 2**53  # milliseconds
_REASON_LENGTH = 10_000
_ENDING = 1.0  # seconds in which the first processes of nodes end after their supervisor


class Here:
    """This machine."""

    def __init__(self) -> None:
        self._supervisors = Supervisors()
        self._ended: Callable[[], None] | None = None
        self._running: dict[str, Process] = {}  # supervisors by key, in case that their folders are removed
        self._failures: dict[str, str] = {}  # of supervisors that could not record them, by key

    def notify(self, ended: Callable[[], None]) -> None:
        """Call a function when a version that was started by this process has ended."""
        self._ended = ended

    def describe(self) -> str:
        return hardware.describe()

    def prepare(self) -> None:
        """Begin with what takes long the first time; called before the first version is ready to start."""
        self._supervisors.prepare()

    def start(self, key: str, folder: JobPaths) -> None:
        """Start a supervisor; it inherits its lock, so that it holds it from the beginning."""
        try:
            lock = locks.hold(folder.alive)
        except BlockingIOError:
            return  # it runs already
        try:
            os.ftruncate(lock, 0)
            self._running[key], started = self._supervisors.start(folder.spec, lock)
        finally:
            os.close(lock)
        threading.Thread(target=self._wait, args=(key, started), daemon=True).start()

    def _wait(self, key: str, supervisor: socket.socket) -> None:
        with supervisor, suppress(OSError), supervisor.makefile("rb") as file:
            if failure := file.read(_REASON_LENGTH):
                self._failures[key] = failure.decode("utf-8", "replace")
        if self._ended is not None:
            self._ended()

    def look(self, folders: Mapping[str, JobPaths]) -> dict[str, State]:
        try:
            return {key: self._state(key, folder) for key, folder in folders.items()}
        except OSError as error:  # a shortage of descriptors or memory
            raise Unreachable(str(error)) from None

    def _state(self, key: str, folder: JobPaths) -> State:
        state = _state(folder)
        if state.phase is not Phase.RUNNING:
            self._running.pop(key, None)
        elif key not in self._running:  # an earlier service has started it
            self._running[key] = _supervisor(folder)
        failure = self._failures.get(key, "")
        return State(Phase.LOST, reason=failure) if failure and state.phase not in ENDED else state

    def stop(self, key: str, folder: JobPaths) -> bool:
        supervisors = _supervisors(folder)
        delivered = [supervisor.signal(signal.SIGTERM) for supervisor in supervisors]
        for supervisor in supervisors:
            supervisor.signal(signal.SIGCONT)  # one that is stopped (SIGSTOP) would not act on it
        return any(delivered)

    def force(self, key: str, folder: JobPaths) -> None:
        for supervisor in {_supervisor(folder), *holders(folder.alive)}:
            supervisor.signal(signal.SIGKILL)

    def clean(self, key: str, folder: JobPaths) -> None:
        if not locks.is_held(folder.alive):  # it runs on if the job has replaced its lock
            _supervisor(folder).signal(signal.SIGKILL)
        images.remove(str(folder.containers))
        workers = read_json(folder.workers)
        records = map(Process.recorded, workers if isinstance(workers, list) else ())
        firsts = [first for first in records if _is_at_work(first, folder)]
        deadline = time.monotonic() + _ENDING
        while any(first.is_running() for first in firsts) and time.monotonic() < deadline:
            time.sleep(0.005)  # each ends when its supervisor does, with all that it can reach as their parent
        for first in filter(Process.is_running, firsts):  # it cannot act, as it is stopped (SIGSTOP)
            for process in (*descendants(first.pid), first):
                process.signal(signal.SIGKILL)
        # In a PID namespace they have ended now. Elsewhere, those that escaped have a variable of this version.
        end_with_variable(f"{JOB_SESSION}={folder.session}")

    def end_all(self) -> None:
        """End all versions, without their folders: a supervisor that takes long to end its workers is killed."""
        deadline = time.monotonic() + PATIENCE
        left = {*self._running.values()}
        for supervisor in left:
            supervisor.signal(signal.SIGTERM)
            supervisor.signal(signal.SIGCONT)
        while (left := {one for one in left if one.is_running()}) and time.monotonic() < deadline:
            time.sleep(0.05)
        for supervisor in left:
            supervisor.signal(signal.SIGKILL)


def _state(folder: JobPaths) -> State:
    ended = _end(folder)
    if ended is None and locks.is_held(folder.alive):
        return State(Phase.RUNNING)
    ended = ended or _end(folder)  # it may have ended between the two looks
    if ended is not None:
        return ended
    return State(Phase.LOST if os.path.lexists(folder.supervisor) else Phase.UNKNOWN)


def _end(folder: JobPaths) -> State | None:
    """The end that the supervisor recorded, or `None`. Without isolation, a job can write to its record."""
    record = read_json(folder.exit)
    outcome = record.get("outcome") if isinstance(record, dict) else None
    if not isinstance(outcome, str) or outcome not in _ENDS:
        return None
    end_time, reason = record.get("end_time"), record.get("reason")
    is_time = type(end_time) is int and 0 <= end_time < _TIME_LIMIT
    text = reason.encode("utf-8", "replace").decode()[:_REASON_LENGTH] if isinstance(reason, str) else ""
    return State(_ENDS[outcome], end_time if is_time else None, text)


def _supervisor(folder: JobPaths) -> Process:
    """The supervisor as it recorded itself; pid 0 if there is no record that makes sense.

    In a copy of a folder, the record is that of the original's supervisor, which is none of the copy's business.
    """
    found = Process.recorded(read_json(folder.supervisor))
    return found if _is_at_work(found, folder) or not found.is_running() else Process(0, "")


def _is_at_work(process: Process, folder: JobPaths) -> bool:
    """Whether the supervisor or the first process of a node works in a folder, or has one in it as its root."""
    try:
        job = os.path.realpath(folder.root)
        works_in = os.readlink(f"/proc/{process.pid}/cwd")
        if works_in == job or works_in.startswith(f"{job}/"):
            return True
        root = os.stat(f"/proc/{process.pid}/root")
        nodes = [os.path.join(job, name) for name in os.listdir(job) if name.startswith("node-")]
        return any(os.path.samestat(root, os.stat(node)) for node in nodes)
    except OSError:
        return False


def _supervisors(folder: JobPaths) -> list[Process]:
    """The supervisor as it recorded itself; without a record that makes sense, who holds its lock."""
    supervisor = _supervisor(folder)
    return [supervisor] if supervisor.pid else holders(folder.alive)
