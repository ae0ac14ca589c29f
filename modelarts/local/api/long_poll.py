"""Long polling: a request with `Prefer: wait=N` (RFC 7240) is answered when there is news, or after N seconds."""

from __future__ import annotations

import re
import time
from typing import Callable

import attrs

LONGEST = 30.0  # seconds that a reply is held back at most
_WAIT = re.compile(r"(?:^|[,;\s])wait=([0-9]{1,9})(?:$|[,;\s])")


@attrs.define
class LongPoll:
    """How many seconds the reply to one request may be held back, and whether the handler made use of that."""

    seconds: float = 0.0
    applied: bool = False

    def hold(self, has_news: Callable[[], bool], sleep: Callable[[float], None], interval: float) -> None:
        """Return when there is news, or when the time is over; `has_news` is called once in each interval."""
        self.applied = self.seconds > 0
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline and not has_news():
            sleep(interval)


def requested_wait(prefer: str) -> float:
    """The seconds of a `Prefer` header; 0 for one without `wait`."""
    found = _WAIT.search(prefer)
    return min(float(found[1]), LONGEST) if found else 0.0
