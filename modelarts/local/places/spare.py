"""A supervisor that was started in advance: it has imported its modules, and waits for a version to supervise."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Sequence

from modelarts.local.processes import Children, Process

PATIENCE = 5.0  # seconds in which it says that it supervises a version


class Spare:
    """At most one such supervisor. It ends with the service, or unused after some minutes.

    Args:
        children: what starts it, and reaps it.
        program: the command of a supervisor, to which the descriptor of its socket is added.
    """

    def __init__(self, children: Children, program: Sequence[str]) -> None:
        self._children = children
        self._program = [*program]
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._socket: socket.socket | None = None

    def prepare(self) -> None:
        """Start one, unless there is one."""
        with self._lock:
            if self._process is not None and self._process.is_running():
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, contextlib.suppress(OSError):  # without a spare one, a supervisor is started when needed
                descriptor = theirs.fileno()
                self._process = self._children.start([*self._program, str(descriptor)], pass_fds=(descriptor,), cwd="/")
                self._replace(ours)
                return
            ours.close()

    def take(self, spec: str, lock: int) -> Process | None:
        """Let it supervise a version; `None` if there is none."""
        with self._lock:
            process, self._process = self._process, None
            if process is None or self._socket is None:
                return None
            is_taken = False
            with contextlib.suppress(OSError):  # it has ended
                self._socket.settimeout(PATIENCE)
                socket.send_fds(self._socket, [os.fsencode(spec)], [lock])
                is_taken = self._socket.recv(1) != b""
            self._replace(None)
            if not is_taken:
                process.signal(signal.SIGKILL)  # it must not begin later, beside another one
            return process if is_taken else None

    def _replace(self, new: socket.socket | None) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = new
