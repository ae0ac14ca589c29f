"""Kills processes of a service and its jobs at random, and knows whose they were."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from modelarts.local import daemon
from modelarts.local.paths import LocalHome, read_json
from tests.chaos.plans import Tried
from tests.support.processes import processes

SERVICE, FORKS, SUPERVISOR, FIRST, WORKER, CHILD = "service", "fork server", "supervisor", "first", "worker", "child"
WEIGHTS = {SERVICE: 2, FORKS: 1, SUPERVISOR: 4, FIRST: 2, WORKER: 3, CHILD: 4}
_FORK_SERVER = b"/fork_server.py"


class Target(NamedTuple):
    """A process that may be killed."""

    pid: int
    kind: str
    tag: str = ""  # of the version that it belongs to, if it does


class Killer:
    """Kills one process after the other.

    Args:
        home: of the service.
        token: in the tags of all versions.
        choice: what is killed, and when.
        rate: kills in a second.
    """

    def __init__(self, home: Path, token: str, choice: random.Random, rate: float) -> None:
        self.kills: Counter[str] = Counter()
        self._killed: list[Target] = []
        self._paths, self._home, self._choice, self._rate = LocalHome.of(home), home, choice, rate
        self._tag = re.compile(rb"tag=(" + re.escape(token.encode()) + rb"-\d+)")

    def run(self, ended: threading.Event) -> None:
        while not ended.wait(self._choice.expovariate(self._rate)):
            if found := [*self.targets()]:
                count = Counter(target.kind for target in found)
                weights = [WEIGHTS[target.kind] / count[target.kind] for target in found]
                self._kill(*self._choice.choices(found, weights))

    def attribute(self, tried: Iterable[Tried]) -> None:
        """Note for each version which of its processes were killed."""
        by_tag = {one.plan.tag: one for one in tried}
        for target in self._killed:
            if target.tag:
                by_tag[target.tag].killed.add(target.kind)

    def targets(self) -> Iterator[Target]:
        """All processes that may be killed."""
        service = daemon.find(self._home)
        if service is not None:
            yield Target(service.pid, SERVICE)
        for entry in processes():
            with contextlib.suppress(OSError):  # it has ended
                if target := self._target(int(entry.name), service.pid if service else 0):
                    yield target

    def _target(self, pid: int, service: int) -> Target | None:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if tag := self._tag.search(command):
            is_child = Path(f"/proc/{pid}/comm").read_text() == "chaos-child\n"
            return Target(pid, CHILD if is_child else WORKER, tag[1].decode())
        if _FORK_SERVER not in command:
            return None
        parent, session = _parent_and_session(pid)
        if tag_of_supervisor := self._supervised(pid):
            return Target(pid, SUPERVISOR if session == pid else FIRST, tag_of_supervisor)
        if tag_of_parent := self._supervised(parent):
            return Target(pid, FIRST, tag_of_parent)
        return Target(pid, FORKS) if parent == service else None

    def _supervised(self, pid: int) -> str:
        """The tag of the version that a supervisor, or the process that it has just forked, works for."""
        folder = Path(f"/proc/{pid}/cwd").readlink()
        if folder.parent != self._paths.jobs.resolve():
            return ""
        return _tag_of(read_json(folder / "spec.json"), self._tag)

    def _kill(self, target: Target) -> None:
        """Kill a process. It is stopped first: it may have become another one, or that of another version."""
        with contextlib.suppress(OSError):
            os.kill(target.pid, signal.SIGSTOP)
            again = next((other for other in self.targets() if other.pid == target.pid), None)
            if again is None:
                os.kill(target.pid, signal.SIGCONT)
                return
            self._killed.append(again)
            self.kills[again.kind] += 1
            os.kill(target.pid, signal.SIGKILL)


def _parent_and_session(pid: int) -> tuple[int, int]:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[1]), int(fields[3])


def _tag_of(spec: object, tag: re.Pattern[bytes]) -> str:
    found = tag.search(repr(spec).encode())
    return found[1].decode() if found else ""
