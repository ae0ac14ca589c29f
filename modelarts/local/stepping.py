"""A thread that calls one function repeatedly: the loop of the scheduler and of the TensorBoards."""

from __future__ import annotations

import logging
import threading
from typing import Callable

logger = logging.getLogger("modelarts.local")

AFTER_FAILURE = 1.0  # seconds


class SteppingThread:
    """Calls `step` until it is closed. A step returns the seconds until the next one, or `None`: not until woken."""

    def __init__(self, name: str, step: Callable[[], float | None]) -> None:
        self._step = step
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Take the next step now."""
        self._woken.set()

    def close(self) -> None:
        """Wait for the current step, and take no more."""
        self._closing.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._woken.clear()
            try:
                pause = self._step()
            except Exception:
                logger.exception("a step of the %s failed", self._thread.name)
                pause = AFTER_FAILURE
            self._woken.wait(pause)
