"""Each node in a tree and a set of processes of its own, as far as this machine allows it.

    node = isolation.open_node(tree, "auto")          # as early as possible, before there are threads
    node.show(paths)                                  # what else must be reachable in the tree
    node.run(argv, environment)                       # raises `OSError`
    code = node.wait()                                # when the worker and all that it started have ended

`/proc` must show the namespace, so there is no PID namespace where `/proc` cannot be mounted.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable, Sequence
from typing import Any, Callable, NamedTuple, NoReturn

from modelarts.local.layout import JOB_DIR, ROOT
from modelarts.local.places import namespaces
from modelarts.local.places.init import Init, Pipes, close_others
from modelarts.local.places.tree import Tree, create, enter, mounts
from modelarts.local.processes import Process, end_descendants

AUTO, REQUIRE, OFF = "auto", "require", "off"  # values of `local_isolation`


class Level(NamedTuple):
    """What a node has of its own."""

    tree: bool
    processes: bool


FULL, TREE_ONLY, NONE = Level(True, True), Level(True, False), Level(False, False)
_LEVELS = {AUTO: (FULL, TREE_ONLY, NONE), REQUIRE: (FULL,), OFF: (NONE,)}


class IsolationError(OSError):
    """A node cannot have what it must have."""


class Node:
    """The first process of a node, and through it the worker, what runs beside it, and all that they start."""

    def __init__(self, tree: Tree, level: Level, fork: int, orders: int, report: int, outputs: Sequence[int]) -> None:
        self.tree = tree
        self.level = level
        self.problem = ""  # why it is not isolated completely, if it should be
        self.lacking: list[str] = []  # what of the machine is not in the tree
        self.process = Process(0, "")
        self.outputs = outputs  # descriptors to read the output of each program from
        self._shown: list[str] = []
        self._fork = fork
        self._orders = orders
        self._report = os.fdopen(report, "rb")

    def show(self, paths: Iterable[str]) -> None:
        """Let the worker see paths of the machine, even if they are below a folder of its own."""
        self._shown += paths

    def run(self, argv: list[str], environment: dict[str, str], beside: Iterable[dict[str, Any]] = ()) -> None:
        """Start the worker, and what runs beside it.

        Args:
            argv: program and arguments.
            environment: all variables.
            beside: further programs, each with `argv`, the variables that differ as `environment`, a `label` for its
                lines in the log, and `serves`: whether it is a server, which the others do not wait for. Nothing
                depends on one that is `optional`.

        Raises:
            OSError: one of them cannot be started.
        """
        programs = [{"argv": argv, "environment": environment, "serves": False}]
        programs += [{**other, "environment": {**environment, **other["environment"]}} for other in beside]
        order: dict[str, Any] = {"programs": programs, "covered": self.tree.covered}
        order["directory"] = JOB_DIR.replace(ROOT, "" if self.level.tree else self.tree.root)
        order["mounts"] = mounts(self.tree, self._shown) if self.level.tree else None
        with os.fdopen(self._orders, "wb", closefd=False) as file:
            file.write(json.dumps(order).encode() + b"\n")
        answer = self._receive()
        if "started" not in answer:
            raise OSError(answer.get("failed", "its first process was killed"))

    def wait(self, report: Callable[[int, float, str], object] = lambda code, at, label: None) -> int:
        """Wait until the programs and all their descendants have ended.

        Args:
            report: called with exit code, monotonic time and label of the program that failed first, or when all but
                servers have ended; a second time if a server fails later.

        Returns:
            The exit code, negative for a signal.
        """
        code = None
        while answer := self._receive():
            code = int(answer["ended"])
            report(code, answer["at"], answer["label"])
        with contextlib.suppress(ChildProcessError):  # it was reaped by `end`
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)  # a zombie keeps its pid from others
        if code is None:
            code = -signal.SIGKILL
            report(code, time.monotonic(), "")
        return code

    def stop(self) -> None:
        """Send SIGTERM to the programs and all that they have started."""
        self.process.signal(signal.SIGTERM)

    def _opened(self) -> dict[str, Any]:
        """Wait until the first process is ready; what it says then, or why it failed."""
        if self.level.processes:  # the fork has forked the first process of a namespace, and leaves it to this one
            os.waitpid(self._fork, 0)
        answer = self._receive() or {"failed": "its first process was killed"}
        self.process = Process.of(answer.get("pid", 0))
        return answer

    def _receive(self) -> dict[str, Any]:
        line = self._report.readline()
        return json.loads(line) if line else {}

    def _close(self) -> None:
        self._report.close()
        for descriptor in (self._orders, *self.outputs):
            os.close(descriptor)
        if self.process.pid:
            os.waitpid(self.process.pid, 0)


def _nothing() -> None:
    pass


def open_node(tree: Tree, setting: str, meanwhile: Callable[[], object] = _nothing, programs: int = 1) -> Node:
    """Create the folders and the first process of a node, at the best level that the setting and the machine allow.

    Args:
        tree: what it sees.
        setting: the value of `local_isolation`.
        meanwhile: called once, while the first process creates the tree; it must not raise an exception.
        programs: how many it will run.

    Raises:
        IsolationError: none is possible.
        OSError: the folders cannot be created.
    """
    create(tree)
    namespaces.become_subreaper()
    problem = ""
    for level in _LEVELS[setting]:
        node = _fork(tree, level, programs)
        meanwhile()
        meanwhile = _nothing
        answer = node._opened()
        if "ready" in answer:
            node.problem, node.lacking = problem, answer["lacking"]
            return node
        node._close()
        problem = problem or answer["failed"]
    raise IsolationError(problem)


def end(nodes: Iterable[Node]) -> None:
    """End all processes of nodes at once."""
    for node in nodes:
        if node.level.processes:
            node.process.signal(signal.SIGKILL)
        else:
            end_descendants()  # what has lost its first process came to this one


def problem_of(level: Level, folder: str) -> str:
    """Why a node whose tree is in this folder cannot have this on this machine, as this user; else an empty text."""
    tree = Tree(folder, ("/tmp",), os.path.join(folder, "no home"), ())
    create(tree)
    namespaces.become_subreaper()
    node = _fork(tree, level, 1)
    answer = node._opened()
    node._close()
    return str(answer.get("failed", ""))


def remarks(node: Node, setting: str) -> list[str]:
    """Lines for a job's log: what is not as on the platform."""
    lines = []
    if not node.level.tree:
        why = f"not possible here ({node.problem})" if setting != OFF else "turned off (local_isolation)"
        lines.append(f"private /cache, /tmp and /home/work are {why}: `modelarts doctor` says what may break")
    elif not node.level.processes:
        lines.append(f"private processes are not possible here ({node.problem}): `modelarts doctor` says more")
    if node.lacking:
        lines.append(f"not visible in this job: {'; '.join(node.lacking)}")
    return lines


def _fork(tree: Tree, level: Level, programs: int) -> Node:
    orders, report, outputs = os.pipe(), os.pipe(), [os.pipe() for _ in range(programs)]
    written = tuple(write for _, write in outputs)
    pid = os.fork()
    if pid == 0:
        _first(tree, level, Pipes(orders[0], report[1], written))
    for descriptor in (orders[0], report[1], *written):
        os.close(descriptor)
    return Node(tree, level, pid, orders[1], report[0], [read for read, _ in outputs])


def _first(tree: Tree, level: Level, pipes: Pipes) -> NoReturn:
    """What the fork does; it never returns."""
    pid = os.getpid()
    try:
        close_others((pipes.orders, pipes.report, *pipes.outputs))
        lacking, mask = [], os.umask(0o022)  # of what is created in the tree
        if level.tree:
            namespaces.unshare(namespaces.MOUNTS | (namespaces.PIDS if level.processes else 0))
            if level.processes and os.fork():
                os._exit(0)
            pid = int(os.readlink("/proc/self"))  # outside of a PID namespace: /proc is that of the machine yet
            lacking = enter(tree, level.processes)
        if not level.processes:
            namespaces.become_subreaper()
        pipes.send(ready=True, lacking=lacking, pid=pid)
        Init(pipes, level.processes).run(mask)
    except OSError as error:
        pid = 0 if level.processes and pid == os.getpid() else pid  # nobody has to wait for it again
        pipes.send(failed=f"{error.filename}: {error.strerror}" if error.filename else str(error), pid=pid)
    finally:
        os._exit(1)
