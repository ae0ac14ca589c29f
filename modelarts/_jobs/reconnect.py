"""Reaching a service again that was lost for a while: what takes hours meets outages, restarts, and machines asleep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelarts._transport.response import Response, error_of
from modelarts.errors import AuthError, BadReply, ConnectionFailed, Throttled, Unavailable

if TYPE_CHECKING:
    from modelarts._api.client import Client
    from modelarts._display.screen import Screen

OUTAGE = 30 * 60.0  # seconds that a service may be out of reach before the waiting is given up
REFUSED = 60.0  # the same for a service that refuses the login
RETRY = 10.0  # seconds between attempts to reach it again, which are repeated themselves
SHORTEST = 0.1  # seconds that a call gets at least
HOLD = 5  # seconds that a service which knows `Prefer: wait` may hold a log request until there is news
TRANSIENT = (ConnectionFailed, BadReply, Unavailable, Throttled, AuthError)


class ReconnectingClient:
    """The way to the service: hours are long, so it is reached again when it was lost for a while.

    Args:
        client: makes the calls.
        screen: is told when the service is lost, and when it is back.
    """

    def __init__(self, client: Client, screen: Screen) -> None:
        self.client = client
        self.screen = screen
        self.deadline = math.inf  # of the monotonic clock
        self.patience = OUTAGE
        # A service may hold an answer back for a while, but not so long that it looks lost.
        self.longest_hold = int(min(HOLD, client.sending.read_timeout / 2, client.sending.total_timeout / 2))

    @property
    def left(self) -> float:
        """Seconds that are left to the waiting."""
        return self.deadline - time.monotonic()

    def call(self, operation: str, *arguments: Any, **options: Any) -> Response:
        """Make a call of the client."""
        return self.reach(lambda: self.client.call(operation, *arguments, **options))

    def reach(self, ask: Callable[[], Response]) -> Response:
        """What the service answers, however long it cannot be reached meanwhile."""
        lost: float | None = None
        while True:
            try:
                with self.client.deadline(self._seconds(), None, None):
                    answer = ask()
                _raise_if_passing(answer)
            except TRANSIENT as error:
                if lost is None:
                    lost = time.monotonic()
                    self.screen.say(f"the service is unreachable, the job continues: {error}")
                # Keys that are just being replaced may be refused for a moment, but not for long.
                patience = REFUSED if isinstance(error, AuthError) else self.patience
                if time.monotonic() >= min(lost + patience, self.deadline):
                    raise
                time.sleep(max(min(RETRY, self.left), 0.0))
            else:
                if lost is not None:
                    self.screen.say(f"reached the service again after {time.monotonic() - lost:.0f} s")
                return answer

    def _seconds(self) -> float | None:
        """How long one call may take; nothing where the session's own time-out is shorter."""
        return max(self.left, SHORTEST) if self.left < self.client.sending.total_timeout else None


def _raise_if_passing(answer: Response) -> None:
    """A refusal that was returned may be an outage, too."""
    refusal = None if answer["is_success"] else error_of(answer)
    if isinstance(refusal, TRANSIENT):
        raise refusal
