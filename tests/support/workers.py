"""A pytest plugin: `--workers=6` runs the tests in six processes, which are forked when the tests are collected.

Workers of pytest-xdist collect the tests each for itself, which takes as long as a tenth of them. Here a test runs in
the same conditions: `tmp_path_factory`, captured output and fixtures of a session are those of the worker.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

_INTERVAL = 0.2  # seconds between messages of a worker
_NONE = -1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, metavar="N", help="run tests in N processes; 0: in this one")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    options = session.config.option
    if options.workers < 1 or options.collectonly or options.usepdb or session.testsfailed:
        return None
    _Controller(session).run(min(options.workers, len(session.items)))
    return True


class Shares:
    """The tests that each worker still has to run, in memory that all of them share.

    Each has a range of all tests, so that it rarely changes the module. Who has none left takes half of the largest.
    """

    def __init__(self, tests: int, workers: int) -> None:
        bounds = [tests * worker // workers for worker in range(workers + 1)]
        self._ranges = multiprocessing.Array("i", [bound for pair in zip(bounds, bounds[1:]) for bound in pair])
        self.taken = multiprocessing.Array("i", [_NONE] * 2 * workers, lock=False)  # what each runs, and runs next

    def take(self, worker: int) -> int | None:
        """The next test of a worker; none if there are no more."""
        ranges = self._ranges
        with ranges.get_lock():
            if self._left(worker) == 0:
                largest = max(range(len(ranges) // 2), key=self._left)
                begin, end = ranges[2 * largest : 2 * largest + 2]
                middle = (begin + end) // 2
                ranges[2 * largest + 1] = middle
                ranges[2 * worker : 2 * worker + 2] = [middle, end]
            if self._left(worker) == 0:
                return None
            ranges[2 * worker] += 1
            return ranges[2 * worker] - 1

    def _left(self, worker: int) -> int:
        return self._ranges[2 * worker + 1] - self._ranges[2 * worker]

    def clear(self) -> None:
        with self._ranges.get_lock():
            self._ranges[:] = [0] * len(self._ranges)


@attrs.define
class _Message:
    """The reports of tests by their indexes; and what plugins of a worker tell those of the controller, at its end."""

    tests: list[tuple[int, list[dict[str, Any]]]] = attrs.Factory(list)
    output: dict[str, Any] | None = None


class _Controller:
    """The process that forks, and shows the results."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hooks = session.config.hook

    def run(self, workers: int) -> None:
        reporter = self._session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.showfspath = False  # workers are in different files
        shares = Shares(len(self._session.items), workers)
        pids, connections = [], {}
        try:
            for worker in range(workers):
                pid, connection = _fork(self._session, shares, worker)
                pids.append(pid)
                connections[connection] = worker
            self._receive(connections, shares)
        finally:
            shares.clear()
            for connection in connections:
                connection.close()  # a worker that cannot send its reports ends, too
            for pid in pids:
                os.waitpid(pid, 0)

    def _receive(self, connections: dict[Connection, int], shares: Shares) -> None:
        while connections:
            for connection in wait(list(connections)):
                try:
                    message = connection.recv()
                except EOFError:
                    self._report_crash(shares, connections[connection])
                    message = _Message(output={})
                self._report(message)
                if message.output is not None:
                    connection.close()
                    del connections[connection]
                    self._hooks.pytest_testnodedown(node=SimpleNamespace(workeroutput=message.output), error=None)
        while (index := shares.take(0)) is not None:  # all workers have ended
            self._fail(index, "this test did not run, since its worker ended")

    def _report(self, message: _Message) -> None:
        for index, reports in message.tests:
            item = self._session.items[index]
            self._hooks.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for data in reports:
                report = self._hooks.pytest_report_from_serializable(config=self._session.config, data=data)
                self._hooks.pytest_runtest_logreport(report=report)
            self._hooks.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            if self._session.shouldfail:
                raise self._session.Failed(self._session.shouldfail)
            if self._session.shouldstop:
                raise self._session.Interrupted(self._session.shouldstop)

    def _report_crash(self, shares: Shares, worker: int) -> None:
        running, following = shares.taken[2 * worker : 2 * worker + 2]
        self._fail(running, "the worker ended while it ran this test; results of tests before it may be missing")
        self._fail(following, "this test did not run, since its worker ended")

    def _fail(self, index: int, reason: str) -> None:
        if index != _NONE:
            item = self._session.items[index]
            report = pytest.TestReport(item.nodeid, item.location, {}, "failed", reason, "call")
            self._hooks.pytest_runtest_logreport(report=report)


def _fork(session: pytest.Session, shares: Shares, worker: int) -> tuple[int, Connection]:
    base = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # created once, for all
    received, sent = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid:
        sent.close()
        return pid, received
    try:
        received.close()
        session.config._tmp_path_factory._basetemp = base / f"worker{worker}"  # type: ignore[attr-defined]
        (base / f"worker{worker}").mkdir()
        _Worker(session, shares, worker, sent).run()
    except (KeyboardInterrupt, BrokenPipeError):  # the controller has ended, or will say so
        pass
    except Exception:  # noqa: BLE001  no more than this process is to end
        traceback.print_exc()
    finally:
        os._exit(0)


class _Worker:
    """A forked process; to plugins it looks like a worker of pytest-xdist."""

    def __init__(self, session: pytest.Session, shares: Shares, worker: int, sent: Connection) -> None:
        self._session = session
        self._config = session.config
        self._shares = shares
        self._worker = worker
        self._sent = sent
        self._all_reports = bool(self._config.option.durations or self._config.option.xmlpath)
        self._reports: list[dict[str, Any]] = []
        self._message = _Message()
        self._sent_at = time.monotonic()

    def run(self) -> None:
        self._config.workerinput, self._config.workeroutput = {}, {}  # type: ignore[attr-defined]
        plugins = self._config.pluginmanager
        for name in ("terminalreporter", "terminalprogress"):
            if plugins.has_plugin(name):
                plugins.unregister(name=name)
        plugins.register(self)
        capture = plugins.get_plugin("capturemanager")
        capture.stop_global_capturing()  # its files are those of the controller
        capture.start_global_capturing()
        capture.suspend_global_capture()
        status = pytest.ExitCode.INTERRUPTED
        try:
            for index, following in self._tests():
                self._run(index, following)
            status = pytest.ExitCode.TESTS_FAILED if self._session.testsfailed else pytest.ExitCode.OK
        finally:
            self._session.exitstatus = status
            self._config.hook.pytest_sessionfinish(session=self._session, exitstatus=status)
            self._message.output = self._config.workeroutput  # type: ignore[attr-defined]
            self._send()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._all_reports or report.when == "call" or not report.passed:
            self._reports.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def _tests(self) -> Iterator[tuple[int, int | None]]:
        """Tests, and what follows each, which decides which fixtures end."""
        index = self._shares.take(self._worker)
        while index is not None and not (self._session.shouldfail or self._session.shouldstop):
            following = self._shares.take(self._worker)
            yield index, following
            index = following

    def _run(self, index: int, following: int | None) -> None:
        self._shares.taken[2 * self._worker : 2 * self._worker + 2] = [index, _NONE if following is None else following]
        items = self._session.items
        next_item = None if following is None else items[following]
        self._config.hook.pytest_runtest_protocol(item=items[index], nextitem=next_item)
        self._message.tests.append((index, self._reports))
        failed = any(report["outcome"] != "passed" for report in self._reports)
        self._reports = []
        if failed or time.monotonic() - self._sent_at > _INTERVAL:
            self._send()

    def _send(self) -> None:
        self._sent.send(self._message)
        self._message = _Message()
        self._sent_at = time.monotonic()
