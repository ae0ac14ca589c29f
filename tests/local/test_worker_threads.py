"""The threads that serve requests: as many as are needed, none lost, and ended with the service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Callable

import attrs
import pytest

from modelarts.local.worker_threads import WorkerThreads
from tests.support.jobs import until

LIMIT = 3


@attrs.define
class Task:
    """A request that runs a function."""

    run: Callable[[], None] = lambda: None
    thread: int = 0
    cancelled: bool = False

    def service(self) -> None:
        self.thread = threading.get_ident()
        self.run()

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def threads() -> Iterator[WorkerThreads]:
    started = WorkerThreads(LIMIT)
    yield started
    started.shutdown()


def test_tasks_beyond_the_limit_run_when_a_thread_is_idle(threads: WorkerThreads) -> None:
    release = threading.Event()
    tasks = [Task(lambda: until(release.is_set)) for _ in range(LIMIT)] + [Task() for _ in range(20)]
    for task in tasks:
        threads.add_task(task)
    until(lambda: all(task.thread for task in tasks[:LIMIT]))
    assert not any(task.thread for task in tasks[LIMIT:])

    release.set()

    until(lambda: all(task.thread for task in tasks))
    assert len({task.thread for task in tasks}) <= LIMIT


def test_a_thread_outlives_a_task_that_fails(threads: WorkerThreads, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("the client is gone")

    for _ in range(2 * LIMIT):
        threads.add_task(Task(fail))
    last = Task()
    threads.add_task(last)

    until(lambda: last.thread)
    assert "the client is gone" in caplog.text


def test_idle_threads_are_used_again() -> None:
    threads = WorkerThreads(100)
    tasks = [Task() for _ in range(50)]
    for task in tasks:
        threads.add_task(task)
        until(lambda: task.thread)  # noqa: B023

    assert len({task.thread for task in tasks}) < len(tasks)
    threads.shutdown()


def test_shutting_down_ends_idle_threads_waits_for_busy_ones_and_cancels_the_queue() -> None:
    threads = WorkerThreads(1)
    release, before = threading.Event(), threading.active_count()
    busy, queued = Task(lambda: until(release.is_set)), Task()
    threads.add_task(busy)
    threads.add_task(queued)
    threading.Timer(0.2, release.set).start()

    threads.shutdown()

    assert release.is_set()
    assert queued.cancelled
    until(lambda: threading.active_count() <= before)
