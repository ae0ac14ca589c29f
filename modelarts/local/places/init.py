"""The first process of a node: it starts the worker, passes SIGTERM on, reaps, and ends together with all that is left.

The supervisor forks it, so it costs no start of Python. If it is the first process of a PID namespace, the kernel ends
all others with it. Otherwise orphans become its children, and it ends them itself.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from typing import Any, NamedTuple, NoReturn

from modelarts.local import processes
from modelarts.local.places import namespaces, tree

_END_NOW = signal.SIGUSR1  # from the kernel, when the supervisor has ended and there is no PID namespace


class Pipes(NamedTuple):
    """The descriptors of a first process: both directions between it and the supervisor, and the worker's output."""

    orders: int
    report: int
    output: int

    def send(self, **message: Any) -> None:
        os.write(self.report, json.dumps(message).encode() + b"\n")

    def receive(self) -> Any:
        """The one order, or `None` if the supervisor has ended."""
        with os.fdopen(self.orders, "rb", closefd=False) as file:
            line = file.readline()
        return json.loads(line) if line else None


class Init:
    """What this process does until it ends."""

    def __init__(self, pipes: Pipes, has_namespace: bool) -> None:
        self.pipes = pipes
        self.has_namespace = has_namespace
        self.stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(_END_NOW, self._end_now)

    def run(self, mask: int) -> NoReturn:
        """Wait for the order, run the worker with this umask, report its end."""
        order = self.pipes.receive()
        if order is None:
            os._exit(0)
        self._end_with_supervisor()
        try:
            if order["mounts"] is not None:
                tree.complete([tree.Mount(*mount) for mount in order["mounts"]], order["covered"])
            os.umask(mask)
            worker = _start(order, self.pipes.output)
        except (OSError, TypeError, ValueError) as error:
            self.pipes.send(failed=getattr(error, "strerror", None) or str(error))
            os._exit(1)
        os.close(self.pipes.output)
        self.pipes.send(started=True)
        if self.stopping:
            self._stop()
        self._finish(_reap_until(worker))

    def _end_with_supervisor(self) -> None:
        """The kernel tells this process when its parent ends; what has ended before is seen by its pipe."""
        namespaces.end_with_parent(signal.SIGKILL if self.has_namespace else _END_NOW)
        poll = select.poll()
        poll.register(self.pipes.orders, 0)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            os._exit(0)

    def _finish(self, code: int) -> NoReturn:
        if not self.has_namespace:
            processes.end_descendants()
        self.pipes.send(ended=code)
        os._exit(0)

    def _stop(self, *_: object) -> None:
        self.stopping = True
        if self.has_namespace:
            processes.signal_all(signal.SIGTERM)
        else:
            for process in processes.descendants():
                process.signal(signal.SIGTERM)

    def _end_now(self, *_: object) -> None:
        self._finish(-signal.SIGKILL)


def _start(order: dict[str, Any], output: int) -> int:
    """Start the worker in a session of its own; the pid. Raises `OSError` or `ValueError`."""
    argv, environment = order["argv"], order["environment"]
    os.chdir(order["directory"])
    os.environ["PATH"] = environment.get("PATH", os.defpath)
    return os.posix_spawnp(
        argv[0], argv, environment, setsid=True, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                      (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
    )  # fmt: skip


def _reap_until(worker: int) -> int:
    """Reap children until the worker has ended; its exit code, negative for a signal."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == worker:
            return os.waitstatus_to_exitcode(status)


def close_others(kept: tuple[int, ...]) -> None:
    """Close what this process has inherited from the supervisor, such as its lock."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > sys.stderr.fileno() and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:  # that of the listing itself
                continue
