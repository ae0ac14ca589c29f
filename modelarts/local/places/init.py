"""The first process of a node: it starts its programs, passes SIGTERM on, reaps, and ends with all that is left.

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
import time
from typing import Any, NamedTuple, NoReturn

from modelarts.local import processes
from modelarts.local.places import namespaces, tree

_END_NOW = signal.SIGUSR1  # from the kernel, when the supervisor has ended and there is no PID namespace


class Pipes(NamedTuple):
    """The descriptors of a first process: both directions between it and the supervisor, and the programs' output."""

    orders: int
    report: int
    outputs: tuple[int, ...]

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
        self.failed = False
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
            pairs = zip(order["programs"], self.pipes.outputs)
            programs = {_start(program, order["directory"], output): program for program, output in pairs}
        except (OSError, TypeError, ValueError) as error:
            processes.end_descendants()  # programs that were started before one that cannot be
            self.pipes.send(failed=getattr(error, "strerror", None) or str(error))
            os._exit(1)
        for output in self.pipes.outputs:
            os.close(output)
        self.pipes.send(started=True)
        if self.stopping:
            self._stop()
        self._reap(programs)
        self._finish()

    def _end_with_supervisor(self) -> None:
        """The kernel tells this process when its parent ends; what has ended before is seen by its pipe."""
        namespaces.end_with_parent(signal.SIGKILL if self.has_namespace else _END_NOW)
        poll = select.poll()
        poll.register(self.pipes.orders, 0)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            os._exit(0)

    def _reap(self, programs: dict[int, dict[str, Any]]) -> None:
        """Reap until all programs have ended, by pid.

        The first failure is reported, and the others are ended. If there is none, the end of the last one that is not a
        server is reported; servers run on until they are ended.
        """
        while programs:
            pid, status = os.waitpid(-1, 0)
            ended = programs.pop(pid, None)
            if ended is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code and not (ended["serves"] and (self.stopping or ended.get("optional"))):
                self._report(code, ended.get("label", ""))
                self._stop()
            elif not ended["serves"] and all(program["serves"] for program in programs.values()):
                self._report(0)

    def _report(self, code: int, label: str = "") -> None:
        """Report an end, unless one of the programs has failed before."""
        if not self.failed:
            self.failed = code != 0
            self.pipes.send(ended=code, at=time.monotonic(), label=label)

    def _finish(self) -> NoReturn:
        if not self.has_namespace:
            processes.end_descendants()
        os._exit(0)

    def _stop(self, *_: object) -> None:
        self.stopping = True
        if self.has_namespace:
            processes.signal_all(signal.SIGTERM)
        else:
            for process in processes.descendants():
                process.signal(signal.SIGTERM)

    def _end_now(self, *_: object) -> None:
        self._finish()


def _start(program: dict[str, Any], directory: str, output: int) -> int:
    """Start a program in a session of its own; the pid. Raises `OSError` or `ValueError`."""
    argv, environment = program["argv"], program["environment"]
    os.chdir(directory)
    os.environ["PATH"] = environment.get("PATH", os.defpath)
    return os.posix_spawnp(
        argv[0], argv, environment, setsid=True, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                      (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
    )  # fmt: skip


def close_others(kept: tuple[int, ...]) -> None:
    """Close what this process has inherited from the supervisor, such as its lock."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > sys.stderr.fileno() and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:  # that of the listing itself
                continue
