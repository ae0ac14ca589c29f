"""Forks a supervisor for each version: `python fork_server.py SOCKET_FD`.

Started by file path, with the standard library and some modules of this package. It has one thread and no state.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from typing import NamedTuple, Optional

if __name__ == "__main__":  # started by file path, so nothing else has added the package
    sys.path.append(__file__.rpartition("/modelarts/local/places/")[0])

from modelarts.local.places import lost_results, packages, supervisor  # noqa: F401  most versions need all of them

PID_LENGTH = 10  # bytes with which a supervisor says that it has begun
LONGEST_WAIT = 600.0  # seconds without a version to supervise


class Request(NamedTuple):
    """A version to supervise."""

    spec: str
    lock: int  # descriptor of the lock that its supervisor holds
    # Descriptor of a socket on which it says that it has begun, and why it failed if it cannot record that; its end
    # closes it.
    caller: int


def next_request(requests: socket.socket) -> Optional[Request]:
    """Wait for a version; `None` when the service has ended, or after a long time without one."""
    try:
        spec, descriptors, _, _ = socket.recv_fds(requests, 65536, 2)
    except OSError:  # also the end of the time
        return None
    return Request(os.fsdecode(spec), *descriptors) if spec else None


def serve(requests: socket.socket) -> None:
    """Fork a supervisor for each request."""
    requests.settimeout(LONGEST_WAIT)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a supervisor: the kernel reaps it
    gc.freeze()  # what is there now stays there, and is shared with the forks
    while request := next_request(requests):
        if os.fork() == 0:
            requests.close()
            supervise(request)
        os.close(request.lock)
        os.close(request.caller)


def supervise(request: Request) -> None:
    """Run a version to its end, which is also that of this process."""
    try:
        os.setsid()
        os.chdir(os.path.dirname(request.spec))
        os.write(request.caller, b"%*d" % (PID_LENGTH, os.getpid()))
    except OSError:  # the service has given up, and may start another one
        os._exit(0)
    try:
        supervisor.supervise(request.spec, request.lock)
    except BaseException as error:  # noqa: BLE001  nothing may return to the loop of the parent
        with contextlib.suppress(OSError):
            os.write(request.caller, supervisor.failure(error).encode("utf-8", "replace"))
        with contextlib.suppress(Exception):
            import traceback

            traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
