"""Local services that start quickly: they are forked from a process that has imported everything.

Each service is a process of its own, with the environment, working directory, log and signals that `service_start`
sets. Only its imports happened earlier. The process that forks services runs this file, with a socket as its argument.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import attrs

from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process

if __name__ == "__main__":  # by file path
    sys.path.insert(0, __file__.rpartition("/tests/")[0])

from tests.support import rights

_LARGEST = 1 << 20  # bytes of a request, most of them the environment


@attrs.define
class ForkedService:
    """The part of `Popen` that `service_start` uses."""

    process: Process
    returncode: int | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self) -> None:
        while self.process.is_running():
            time.sleep(0.005)


class ServiceForks:
    """The process that services are forked from: started with the first service."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._lock = threading.Lock()

    def spawn(
        self, arguments: list[str], inherited_fd: int, paths: LocalHome, environment: Mapping[str, str]
    ) -> ForkedService:
        """Start a service, as `service_start.spawn` does."""
        request = {"arguments": arguments, "fd": inherited_fd, "cwd": str(paths.root), "environment": dict(environment)}
        ours, theirs = socket.socketpair()  # other processes send requests, too
        with ours, theirs, open(paths.service_log, "ab") as log:  # noqa: PTH123
            descriptors = [theirs.fileno(), log.fileno(), inherited_fd]
            socket.send_fds(self.start(), [json.dumps(request).encode()], descriptors)
            return ForkedService(Process(*json.loads(ours.recv(100))))

    def close(self) -> None:
        if self._process is not None and self._requests is not None:
            self._requests.close()
            self._process.wait()
            self._process = self._requests = None

    def start(self) -> socket.socket:
        """Start the process, unless it runs; returns the socket for requests."""
        with self._lock:
            return self._requests or self._start()

    def _start(self) -> socket.socket:
        from tests.support.left_processes import SHARED  # not for the process itself, which is to import little

        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))
        SHARED.add(self._process.pid)
        return self._requests


def _serve_forks(requests: socket.socket) -> list[str]:
    """Fork for each request. Returns in the child, with the arguments of its service."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for services
    gc.freeze()  # what was imported is no garbage: looking at it would copy the memory that all services share
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, _LARGEST, 3)
        if not message:
            raise SystemExit
        request = json.loads(message)
        if len(request["arguments"]) > 2:  # it is to behave as the cloud does
            import modelarts.local.emulator.tls_server  # noqa: F401
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    requests.close()
    caller, log, inherited = descriptors
    os.setsid()
    os.write(caller, json.dumps(Process.of(os.getpid())).encode())
    os.close(caller)
    _become(request, log, inherited)
    return request["arguments"]


def _become(request: dict[str, Any], log: int, inherited: int) -> None:
    """Set what a process inherits from the one that starts it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if inherited != request["fd"]:
        os.dup2(inherited, request["fd"])
        os.close(inherited)
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]
    os.environ.clear()
    os.environ.update(request["environment"])
    rights.give_up(os.environ.pop(rights.GIVEN_UP, ""))
    time.tzset()


if __name__ == "__main__":
    from modelarts.local import server

    with socket.socket(fileno=int(sys.argv[1])) as inherited_socket:
        arguments = _serve_forks(inherited_socket)
    code = 0
    try:
        server.main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    logging.shutdown()
    os._exit(code)  # without taking apart all that was imported, which takes as long as the service does
