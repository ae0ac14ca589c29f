"""How many connections may wait for a client, and how long: the same for all HTTP servers of the service."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterable
from typing import TypeVar

HEADER_TIMEOUT = 10.0  # seconds in which a TLS handshake, and a header, must be complete
STALL_TIMEOUT = 60.0  # seconds in which the next bytes of a body or a response must be transferred
IDLE_TIMEOUT = 120.0  # seconds after which a connection without a request is closed
LINGER_TIMEOUT = 5.0  # seconds in which the rest of a refused body is discarded, so that the client reads the response
DISCARDED = 512 << 20  # bytes of a refused body; after them the connection is reset

WITHOUT_HEADER = 256  # connections that have not sent a complete header
IDLE = 256  # connections that wait for another request
GRACE = 1.0  # seconds in which a connection is closed only if there are too many of all kinds
CONNECTIONS = 1000  # of all kinds

NO_FILES = (errno.EMFILE, errno.ENFILE)
PAUSE = 0.02  # seconds until a connection is accepted again, if there was no descriptor for it

_FEWEST = 64
_OTHER_FILES = 384  # descriptors that the service needs for all else

T = TypeVar("T")


def room() -> int:
    """How many connections of all kinds there may be, as far as this process may open files."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTIONS if files == resource.RLIM_INFINITY else max(min(CONNECTIONS, files - _OTHER_FILES), _FEWEST)


def surplus(waiting: Iterable[tuple[float, T]], limit: int, too_many: int, now: float) -> list[T]:
    """Which connections of one kind to close: those that have waited longest.

    Args:
        waiting: since when each connection has waited, in seconds.
        limit: how many of this kind may wait.
        too_many: how many connections have to be closed, however short they have waited.
        now: the time, in seconds.
    """
    oldest = sorted(waiting, key=lambda entry: entry[0])
    candidates = oldest[: max(len(oldest) - limit, 0)]
    return [found for place, (since, found) in enumerate(candidates) if place < too_many or now - since > GRACE]
