"""A pytest plugin: if a test leaves a process running, the run fails with the name of the test, and it is killed.

A process that a test itself has started ends with the test at the latest. Services, jobs and TensorBoards are found
at the end of the run: they have inherited a variable, or work in the temporary folder of the run. With pytest-xdist,
each worker looks for its own.
"""

from __future__ import annotations

import bisect
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import children, is_below, kill, processes

MARK = "PYTEST_RUN_OF_MODELARTS"
SHARED: set[int] = set()  # pids of children that serve several tests
PATIENCE = 3.0  # seconds for processes that are about to exit

_REPORTED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORTED] = []
    config.pluginmanager.register(_LeftProcesses(config), "left processes")


class _LeftProcesses:
    def __init__(self, config: pytest.Config) -> None:
        self._reported = config.stash[_REPORTED]
        self._folder: Path | None = None
        self._mark = ""
        self._children: set[int] = set()  # that fixtures have started
        self._began: list[float] = []
        self._tests: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        if not self._mark:  # not earlier: the controller of pytest-xdist runs no test, and looks for none
            os.environ[MARK] = f"{os.getpid()} {time.time_ns()}"
            self._mark = f"{MARK}={os.environ[MARK]}"
        return (yield)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began.append(time.clock_gettime(time.CLOCK_BOOTTIME))
        self._tests.append(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        try:
            return (yield)
        finally:
            for pid in children() - self._children - SHARED:
                self._end(pid, item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self._children = children()
        if self._folder is None:
            self._folder = item.config._tmp_path_factory.getbasetemp().resolve()  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._mark:
            self._end_all()
            if hasattr(session.config, "workeroutput"):
                session.config.workeroutput["left processes"] = self._reported
        if self._reported and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._reported += getattr(node, "workeroutput", {}).get("left processes", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._reported:
            terminalreporter.section("processes left running", red=True)
            for line in self._reported:
                terminalreporter.line(line)

    def _end_all(self) -> None:
        """Kill and report the processes that still run after some seconds."""
        deadline = time.monotonic() + PATIENCE
        while (left := self._running()) and time.monotonic() < deadline:
            time.sleep(0.05)
        while left:
            for pid, started, command in left:
                self._reported.append(f"{self._test_at(started)} left process {pid}: {command}")
                kill(pid)
            time.sleep(0.1)
            seen = {pid for pid, _, _ in left}
            left = [row for row in self._running() if row[0] not in seen]  # what one of them started meanwhile

    def _end(self, pid: int, test: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while (command := _command(Path("/proc", str(pid)))) and time.monotonic() < deadline:
            time.sleep(0.02)
        if command:  # that of a zombie is empty
            self._reported.append(f"{test} left process {pid}: {command}")
            kill(pid)

    def _running(self) -> list[tuple[int, float, str]]:
        """Pid, start in seconds since the boot, and command of each process that tests started."""
        rows = []
        for entry in processes():
            try:
                if self._is_ours(entry):
                    fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                    rows.append((int(entry.name), int(fields[19]) / os.sysconf("SC_CLK_TCK"), _command(entry)))
            except OSError:  # it has ended, or belongs to another user
                continue
        return rows

    def _is_ours(self, process: Path) -> bool:
        if self._mark.encode() in (process / "environ").read_bytes().split(b"\0"):
            return True
        return self._folder is not None and is_below(process, self._folder)

    def _test_at(self, started: float) -> str:
        index = bisect.bisect_right(self._began, started + 1 / os.sysconf("SC_CLK_TCK")) - 1
        return self._tests[max(index, 0)] if self._tests else "the collection"


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
