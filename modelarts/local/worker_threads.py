"""The threads that serve requests."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import Optional, Protocol

logger = logging.getLogger("modelarts.local")

PATIENCE = 5.0  # seconds that requests in progress have when the service ends


class Task(Protocol):
    """A request, as waitress passes it on."""

    def service(self) -> None: ...
    def cancel(self) -> None: ...


Inbox = SimpleQueue[Optional[Task]]  # of one thread; `None` ends it


class WorkerThreads:
    """The task dispatcher of a waitress server. Threads are started as they are needed.

    The thread that became idle last is used first: its memory is still in the caches of the processor, which makes a
    request up to twice as fast as with threads that take turns.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle: list[Inbox] = []
        self._queue: deque[Task] = deque()
        self._closing = False

    def add_task(self, task: Task) -> None:
        """Run a task in an idle or a new thread; when the limit is reached, as soon as a thread is idle."""
        with self._lock:
            if self._idle:
                self._idle.pop().put(task)
            elif len(self._threads) < self._limit:
                thread = threading.Thread(target=self._work, args=(task,), name="request", daemon=True)
                self._threads.append(thread)
                thread.start()
            else:
                self._queue.append(task)

    def shutdown(self) -> None:
        """End the threads, and wait a while for those that are busy; queued tasks are cancelled."""
        with self._lock:
            self._closing = True
            while self._queue:
                self._queue.popleft().cancel()
            while self._idle:
                self._idle.pop().put(None)
        deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, task: Task | None) -> None:
        inbox: Inbox = SimpleQueue()
        while task is not None:
            try:
                task.service()
            except Exception:
                logger.exception("a request could not be served")
            task = self._next(inbox)

    def _next(self, inbox: Inbox) -> Task | None:
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            if self._closing:
                return None
            self._idle.append(inbox)
        return inbox.get()
