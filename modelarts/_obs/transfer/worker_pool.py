"""Transfers: many small pieces of work by a bounded crew of threads, which Ctrl-C and a first failure end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Callable, Optional, Protocol

from modelarts._transport.options import TransportOptions

# One file, or one part of a large one; it returns what else is found to be done as `MoreTasks`.
Task = Callable[[], Any]
_LOOK = 0.2  # seconds between two looks at what others do
_GRACE = 1.0  # seconds that stopped threads get; one that waits for the network is left to end by itself


class MoreTasks:
    """Units that a unit has found to be needed: others may take them."""

    def __init__(self, units: Iterator[Task]) -> None:
        self.units = units


class Cancelled(Exception):
    """The transfer this belongs to has been stopped."""


class Meter(Protocol):
    """What shows how far a transfer is."""

    def found(self, size: int) -> None:
        """One more file, of so many bytes, is to be moved."""

    def left_out(self, size: int) -> None:
        """One that was found need not be moved."""

    def found_all(self) -> None:
        """No more files will be found."""

    def moved(self, size: int) -> None:
        """So many bytes were moved; fewer than none when some must be moved again."""

    def finished(self) -> None:
        """One file is complete."""

    def close(self) -> None:
        """Show nothing more."""


class Transfer:
    """One call on its way: its threads, what stops it, what is shown of it.

    Args:
        threads: how many units may be at work at once.
        meter: shows the progress.
        sending: time-outs of its requests: those of the thread that called.
    """

    def __init__(self, threads: int, meter: Meter, sending: Optional[TransportOptions] = None) -> None:
        self.threads = threads
        self.meter = meter
        self.sending = sending
        self.stop = threading.Event()
        self._end = ExitStack()

    def at_end(self, act: Callable[[], None]) -> None:
        """Do this when the transfer is over, in whatever way; what was asked for last is done first."""
        self._end.callback(act)

    def moved(self, size: int) -> None:
        """Count bytes. Raises `Cancelled` when the transfer has been stopped, so that its threads end soon."""
        self.check()
        self.meter.moved(size)

    def check(self) -> None:
        """Raises `Cancelled` when the transfer has been stopped."""
        if self.stop.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait before a repeat. Raises `Cancelled`."""
        self.stop.wait(seconds)
        self.check()

    def run(self, units: Iterable[Task]) -> None:
        """Do all units; as many are taken from `units` as there is work for, so there may be any number of them.

        Raises the first failure of a unit, after the others have ended.
        """
        crew = _Crew(self.threads, self.stop)
        try:
            for unit in self._all(units, crew):
                crew.hand_over(unit)
                if self.stop.is_set():
                    break
            crew.finish()
        except Cancelled:  # what finds units was stopped: the failure is that of a unit
            crew.leave()
        except BaseException:
            self.stop.set()
            crew.leave()
            raise
        finally:
            self._end.callback(self.meter.close)
            self._end.close()
        if crew.failure is not None:
            raise crew.failure

    def _all(self, units: Iterable[Task], crew: _Crew) -> Iterator[Task]:
        """The units, and those that they give back."""
        for unit in units:
            yield unit
            while (more := crew.given_back()) is not None:
                yield from more.units
        self.meter.found_all()
        while (more := crew.given_back(wait=True)) is not None:
            yield from more.units


class _Crew:
    """Threads that are started when there is work for them. As daemons: none keeps the interpreter from ending."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self.failure: Optional[BaseException] = None
        self._stop = stop
        self._size = size
        self._waiting: queue.Queue[Optional[Task]] = queue.Queue(maxsize=size)
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()  # around what follows
        self._more: list[MoreTasks] = []
        self._at_work = 0

    def hand_over(self, unit: Task) -> None:
        if len(self._threads) < self._size:
            thread = threading.Thread(target=self._work, name=f"modelarts-obs-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        with self._changed:
            self._at_work += 1
        self._waiting.put(unit)

    def given_back(self, wait: bool = False) -> Optional[MoreTasks]:
        """Units that a unit gave back; when asked to wait, nothing says that there will be none."""
        with self._changed:
            while wait and not self._more and self._at_work and not self._stop.is_set():
                self._changed.wait(_LOOK)
            return self._more.pop() if self._more and not self._stop.is_set() else None

    def finish(self) -> None:
        """Wait until all is done; after a failure, not for threads that the network holds."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            while thread.is_alive() and not self._stop.is_set():
                thread.join(_LOOK)
        if self._stop.is_set():
            self.leave()

    def leave(self) -> None:
        """Let the threads end, and wait a little for them; the stop has been given."""
        deadline = time.monotonic() + _GRACE
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            try:
                self._waiting.put(None, timeout=0.01)
            except queue.Full:
                continue
            for thread in self._threads:
                thread.join(0.01)

    def _work(self) -> None:
        while (unit := self._waiting.get()) is not None:
            found = None if self._stop.is_set() else self._result_of(unit)
            with self._changed:
                if isinstance(found, MoreTasks):
                    self._more.append(found)
                self._at_work -= 1
                self._changed.notify()

    def _result_of(self, unit: Task) -> Any:
        try:
            return unit()
        except Cancelled:
            return None
        except BaseException as error:  # noqa: BLE001  it is raised again where the transfer was called
            with self._changed:
                self.failure = self.failure or error
            self._stop.set()
            return None


def shown(title: str, progress: Optional[bool]) -> Meter:
    """What shows a transfer: nothing when `progress` is false; by default only where somebody looks."""
    from modelarts._display.progress import meter

    made: Any = meter(title, progress)
    shows: Meter = made
    return shows
