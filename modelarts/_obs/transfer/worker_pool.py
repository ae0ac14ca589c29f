"""Transfers: many small tasks in a bounded pool of threads, which Ctrl-C and the first failure end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Callable, Optional, Protocol

from modelarts._transport.options import TransportOptions

# One file, or one part of a large file; what else it finds to be done, it returns as `MoreTasks`.
Task = Callable[[], Any]
_CHECK_INTERVAL = 0.2  # seconds between two checks of what other threads did
_GRACE = 1.0  # seconds that cancelled threads get to end; one that waits for the network is not waited for


class MoreTasks:
    """Tasks that a task has found to be needed; any thread may run them."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self.tasks = tasks


class Cancelled(Exception):
    """The transfer has been cancelled."""


class Meter(Protocol):
    """Shows the progress of a transfer."""

    def found(self, size: int) -> None:
        """Add a file of so many bytes to the total."""

    def skipped(self, size: int) -> None:
        """Take a file out of the total: it is up to date."""

    def found_all(self) -> None:
        """The total is final."""

    def moved(self, size: int) -> None:
        """Count bytes; a negative number when some must be transferred again."""

    def finished(self) -> None:
        """Count a complete file."""

    def close(self) -> None:
        """Show nothing more."""


class Transfer:
    """One upload, download or removal: its threads, its progress, and what cancels it.

    Args:
        threads: how many tasks may run at once.
        meter: shows the progress.
        options: timeouts of its requests, as they are for the calling thread.
    """

    def __init__(self, threads: int, meter: Meter, options: Optional[TransportOptions] = None) -> None:
        self.threads = threads
        self.meter = meter
        self.options = options
        self.stop = threading.Event()
        self._end = ExitStack()

    def at_end(self, act: Callable[[], None]) -> None:
        """Call this when the transfer ends, however it ends; the last one registered is called first."""
        self._end.callback(act)

    def moved(self, size: int) -> None:
        """Count bytes. Raises `Cancelled`, so that the threads of a cancelled transfer end soon."""
        self.check()
        self.meter.moved(size)

    def check(self) -> None:
        """Raises `Cancelled` when the transfer has been cancelled."""
        if self.stop.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait before a retry. Raises `Cancelled`."""
        self.stop.wait(seconds)
        self.check()

    def run(self, tasks: Iterable[Task]) -> None:
        """Run all tasks. They are taken from `tasks` only as threads become free, so there may be any number of them.

        Raises the first failure of a task, after the others have ended.
        """
        pool = WorkerPool(self.threads, self.stop)
        try:
            for task in self._all(tasks, pool):
                pool.submit(task)
                if self.stop.is_set():
                    break
            pool.finish()
        except Cancelled:  # raised by what yields tasks: the failure is that of a task
            pool.leave()
        except BaseException:
            self.stop.set()
            pool.leave()
            raise
        finally:
            self._end.callback(self.meter.close)
            self._end.close()
        if pool.failure is not None:
            raise pool.failure

    def _all(self, tasks: Iterable[Task], pool: WorkerPool) -> Iterator[Task]:
        """The tasks, and those that they return."""
        for task in tasks:
            yield task
            while (more := pool.returned()) is not None:
                yield from more.tasks
        self.meter.found_all()
        while (more := pool.returned(wait=True)) is not None:
            yield from more.tasks


class WorkerPool:
    """Threads that are started when there is work for them. They are daemons: none keeps the interpreter alive.

    Args:
        size: the largest number of threads.
        stop: set by whoever cancels the work; the pool sets it after a failure.
    """

    def __init__(self, size: int, stop: threading.Event) -> None:
        self.failure: Optional[BaseException] = None
        self._stop = stop
        self._size = size
        self._waiting: queue.Queue[Optional[Task]] = queue.Queue(maxsize=size)
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()  # guards the two below
        self._more: list[MoreTasks] = []
        self._running = 0

    def submit(self, task: Task) -> None:
        if len(self._threads) < self._size:
            thread = threading.Thread(target=self._work, name=f"modelarts-obs-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        with self._changed:
            self._running += 1
        self._waiting.put(task)

    def returned(self, wait: bool = False) -> Optional[MoreTasks]:
        """Tasks that a task returned; with `wait`, `None` means that there will be no more."""
        with self._changed:
            while wait and not self._more and self._running and not self._stop.is_set():
                self._changed.wait(_CHECK_INTERVAL)
            return self._more.pop() if self._more and not self._stop.is_set() else None

    def finish(self) -> None:
        """Wait until all is done; after a failure, not for threads that are blocked on the network."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            while thread.is_alive() and not self._stop.is_set():
                thread.join(_CHECK_INTERVAL)
        if self._stop.is_set():
            self.leave()

    def leave(self) -> None:
        """Let the threads end, and wait for them a little; `stop` is set."""
        deadline = time.monotonic() + _GRACE
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            try:
                self._waiting.put(None, timeout=0.01)
            except queue.Full:
                continue
            for thread in self._threads:
                thread.join(0.01)

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            result = None if self._stop.is_set() else self._result_of(task)
            with self._changed:
                if isinstance(result, MoreTasks):
                    self._more.append(result)
                self._running -= 1
                self._changed.notify()

    def _result_of(self, task: Task) -> Any:
        try:
            return task()
        except Cancelled:
            return None
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that called
            with self._changed:
                self.failure = self.failure or error
            self._stop.set()
            return None


def create_meter(title: str, progress: Optional[bool]) -> Meter:
    """What shows a transfer: nothing when `progress` is false; by default only on terminals and in notebooks."""
    from modelarts._display.progress import meter

    created: Any = meter(title, progress)
    shows: Meter = created
    return shows
