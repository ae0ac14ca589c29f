"""Versions as processes of this machine, each under a supervisor that outlives the service.

A supervisor holds the lock in its version's folder as long as it lives, and renames its record of the end into place.
If the record exists, the version has ended. If not, it is running while the lock is held, and otherwise lost.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Callable

from modelarts.local import hardware, locks
from modelarts.local.daemon import JOB_SESSION
from modelarts.local.paths import JobPaths, read_json
from modelarts.local.places import images
from modelarts.local.places.base import ENDED, Phase, State
from modelarts.local.places.supervisors import Supervisors
from modelarts.local.processes import Process, end_with_variable

_ENDS = {phase.value: phase for phase in ENDED}


class Here:
    """This machine."""

    def __init__(self) -> None:
        self._supervisors = Supervisors()
        self._ended: Callable[[], None] | None = None

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
            started = self._supervisors.start(folder.spec, lock)
        finally:
            os.close(lock)
        threading.Thread(target=self._wait, args=(started,), daemon=True).start()

    def _wait(self, supervisor: socket.socket) -> None:
        with supervisor, suppress(OSError):
            supervisor.recv(1)
        if self._ended is not None:
            self._ended()

    def look(self, folders: Mapping[str, JobPaths]) -> dict[str, State]:
        return {key: _state(folder) for key, folder in folders.items()}

    def stop(self, key: str, folder: JobPaths) -> bool:
        return _supervisor(folder).signal(signal.SIGTERM)

    def clean(self, key: str, folder: JobPaths) -> None:
        images.remove(str(folder.containers))
        for record in read_json(folder.workers) or ():
            Process(record["pid"], record["started"]).signal(signal.SIGKILL)
        # In a PID namespace they have ended now. Elsewhere, those that escaped have a variable of this version.
        end_with_variable(f"{JOB_SESSION}={folder.session}")


def _state(folder: JobPaths) -> State:
    ended = _end(folder)
    if ended is None and locks.is_held(folder.alive):
        return State(Phase.RUNNING)
    ended = ended or _end(folder)  # it may have ended between the two looks
    if ended is not None:
        return ended
    return State(Phase.LOST if _supervisor(folder).pid else Phase.UNKNOWN)


def _end(folder: JobPaths) -> State | None:
    """The end that the supervisor recorded, or `None`."""
    record = read_json(folder.exit)
    if not isinstance(record, dict) or record.get("outcome") not in _ENDS:
        return None
    return State(_ENDS[record["outcome"]], record["end_time"], record["reason"])


def _supervisor(folder: JobPaths) -> Process:
    """The supervisor as it recorded itself; pid 0 if there is no record."""
    record = read_json(folder.supervisor)
    return Process(record["pid"], record["started"]) if record else Process(0, "")
