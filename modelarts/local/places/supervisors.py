"""Starts supervisors: a process that has imported their modules forks one for each version.

A fork takes a millisecond, a new interpreter with its imports thirty. The process is started with the first version. It
ends with the service, or after some minutes without a version; supervisors are not affected by its end.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path

from modelarts.local.places import fork_server, supervisor
from modelarts.local.processes import Children, Process

PATIENCE = 30.0  # seconds in which a supervisor says that it has begun
PAUSES = (0.0, 0.0, 0.1, 0.2, 0.4, 0.8)  # seconds before each attempt: something may kill the process again and again
_PROGRAM = (sys.executable, "-I", "-S", "-X", "utf8", str(fork_server.__file__))
_NEEDED = (Path(fork_server.__file__), Path(supervisor.__file__))


class Supervisors:
    """Starts them; used by one thread."""

    def __init__(self) -> None:
        self._children = Children()
        self._server: Process | None = None
        self._requests: socket.socket | None = None

    def prepare(self) -> None:
        """Start the process that forks them, unless it runs. Raises `OSError`."""
        if self._server is not None and self._server.is_running():
            self._server.signal(signal.SIGCONT)  # if something has stopped it
            return
        self._end_server()
        if missing := next((path for path in _NEEDED if not path.is_file()), None):
            raise FileNotFoundError(
                f"{missing} was removed while the local service was running: restart it with `modelarts local stop`"
            )
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        weakref.finalize(self, self._requests.close)  # which ends the process
        with theirs:
            descriptor = theirs.fileno()
            self._server = self._children.start([*_PROGRAM, str(descriptor)], pass_fds=(descriptor,), cwd="/")

    def start(self, spec: Path, lock: int) -> tuple[Process, socket.socket]:
        """Start the supervisor of a version.

        Args:
            spec: of the version.
            lock: descriptor of the lock that it holds as long as it lives.

        Returns:
            The supervisor, and a socket that is closed at its other end when the version has ended, or the supervisor
            was killed. Before, a supervisor writes to it why it failed, if it could not record that.

        Raises:
            OSError: it does not start.
        """
        for pause in PAUSES:
            time.sleep(pause)
            self.prepare()
            assert self._requests is not None
            ours, theirs = socket.socketpair()
            with theirs, suppress(OSError):
                socket.send_fds(self._requests, [os.fsencode(spec)], [lock, theirs.fileno()])
            if pid := _begun(ours):
                ours.settimeout(None)
                return Process.of(pid), ours
            ours.close()
            self._end_server()
        raise ChildProcessError("its supervisor does not start, see the log of the local service")

    def _end_server(self) -> None:
        if self._requests is not None:
            self._requests.close()
        if self._server is not None:
            self._server.signal(signal.SIGKILL)  # if it does not respond: what it has received, it would hold for ever
        self._server = self._requests = None
        self._children.reap()


def _begun(supervisor: socket.socket) -> int:
    """Wait until a supervisor says its pid. After 0 it cannot begin: it does so only if it could say it."""
    supervisor.settimeout(PATIENCE)
    with suppress(socket.timeout):
        return int(supervisor.recv(fork_server.PID_LENGTH) or 0)
    supervisor.shutdown(socket.SHUT_RD)
    return int(supervisor.recv(fork_server.PID_LENGTH) or 0)
