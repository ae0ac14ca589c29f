"""Slows down whoever guesses passwords. A right password is not delayed by the wrong ones before it."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable

from modelarts.local.api.errors import ApiFailure

FIRST_DELAY, LONGEST_DELAY = 0.1, 1.0  # seconds; it doubles with each wrong password
MEMORY = 60.0  # seconds in which a wrong password counts
DELAYED = 4  # replies that are held back at once, each by a thread


class WrongPasswords:
    """The wrong passwords of the last minute."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=16)
        self._lock = threading.Lock()
        self._delayed = 0

    def check(self, is_right: Callable[[], bool]) -> None:
        """Raise `ApiFailure` for a wrong password, after a while; and at once, unchecked, while many are held back."""
        if self._delayed >= DELAYED:
            message = "Too many wrong passwords. Try again in some seconds."
            raise ApiFailure("", message, 429, {"Retry-After": f"{LONGEST_DELAY:.0f}"})
        if not is_right():
            self._hold_back()
            raise ApiFailure("", "The username or password is wrong.", 401)

    def _hold_back(self) -> None:
        with self._lock:
            now = time.monotonic()
            delay = min(FIRST_DELAY * 2 ** sum(now - moment < MEMORY for moment in self._times), LONGEST_DELAY)
            self._times.append(now)
            self._delayed += 1
        try:
            time.sleep(delay)
        finally:
            with self._lock:
                self._delayed -= 1
