"""Calls that outlast minutes without a service: outages, restarts, and machines that slept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelarts._transport.response import Response, error_of
from modelarts.errors import AuthError, BadReply, ConnectionFailed, ServiceError, Throttled, Unavailable

if TYPE_CHECKING:
    from modelarts._api.client import Client
    from modelarts._display.screen import Screen

OUTAGE = 30 * 60.0  # seconds that a service may be unreachable before waiting is given up
REFUSED = 60.0  # the same for a service that refuses the credentials
RETRY = 10.0  # seconds between attempts, each of which is repeated by the transport
RESTART = 0.5  # the same after the first failed start of the local service, which nothing repeats; it doubles
SHORTEST = 0.1  # seconds that a call gets at least
HOLD = 5  # seconds that a service which knows `Prefer: wait` may hold a reply back
TRANSIENT = (ConnectionFailed, ServiceError, BadReply, Unavailable, Throttled, AuthError)


class ReconnectingClient:
    """A client that repeats a call until the service can be reached again, because jobs take hours.

    Args:
        client: makes the calls.
        screen: shows when the service becomes unreachable, and when it is reached again.
    """

    def __init__(self, client: Client, screen: Screen) -> None:
        self.client = client
        self.screen = screen
        self.deadline = math.inf  # of the monotonic clock
        self.patience = OUTAGE
        # A service may hold a reply back for a while, but not for so long that the call times out.
        self.longest_hold = int(min(HOLD, client.options.read_timeout / 2, client.options.total_timeout / 2))

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def call(self, operation: str, *arguments: Any, **options: Any) -> Response:
        """Make a call of the client; arguments as for `Client.call`."""
        return self.reach(lambda: self.client.call(operation, *arguments, **options))

    def call_once(self, operation: str, *arguments: Any, **options: Any) -> Response:
        """Make a call of the client before the deadline, and leave its failure to the caller."""
        with self.client.deadline(self._seconds(), None, None):
            return self.client.call(operation, *arguments, **options)

    def reach(self, call: Callable[[], Response]) -> Response:
        """Repeat a call until it has a reply.

        Raises:
            ApiError: the service refused it, for a reason that does not pass by itself.
            ConnectionFailed, BadReply, Unavailable, Throttled, AuthError: it failed for too long.
            ServiceError: the local service could not be started for too long.
        """
        lost: float | None = None
        restart = RESTART
        while True:
            try:
                with self.client.deadline(self._seconds(), None, None):
                    reply = call()
                _raise_if_transient(reply)
            except TRANSIENT as error:
                if lost is None:
                    lost = time.monotonic()
                    self.screen.say(f"the service is unreachable, the job continues: {error}")
                # Keys that are being replaced may be refused for a moment, but not for long.
                patience = REFUSED if isinstance(error, AuthError) else self.patience
                if time.monotonic() >= min(lost + patience, self.deadline):
                    raise
                pause = min(restart, RETRY) if isinstance(error, ServiceError) else RETRY
                restart *= 2
                time.sleep(max(min(pause, self.left), 0.0))
            else:
                if lost is not None:
                    self.screen.say(f"reached the service again after {time.monotonic() - lost:.0f} s")
                return reply

    def _seconds(self) -> float | None:
        """How long one call may take; `None` where the session's own time-out is shorter."""
        return max(self.left, SHORTEST) if self.left < self.client.options.total_timeout else None


def _raise_if_transient(reply: Response) -> None:
    """Raise a refusal that was returned, if it is one that passes by itself."""
    refusal = None if reply["is_success"] else error_of(reply)
    if isinstance(refusal, TRANSIENT):
        raise refusal
