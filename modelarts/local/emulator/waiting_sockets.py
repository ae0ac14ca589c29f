"""Sockets of clients for which a thread waits; if there are too many, the oldest are ended."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from modelarts.local import connection_limits

_MOST = 512  # threads that wait at once, however short


class WaitingSockets:
    """Sockets that have not sent a complete header, or whose request was refused. Threads add and discard their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[socket.socket, float] = {}

    def add(self, waiting: socket.socket) -> None:
        """Wait for a client from now on; this may end the wait for another."""
        with self._lock:
            now = time.time()
            self._since[waiting] = now
            if len(self._since) <= connection_limits.WITHOUT_HEADER:
                return
            entries = [(since, found) for found, since in self._since.items()]
            too_many = len(entries) - min(_MOST, connection_limits.room())
            for found in connection_limits.surplus(entries, connection_limits.WITHOUT_HEADER, too_many, now):
                del self._since[found]
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)  # its thread reads the end, also with TLS

    @contextlib.contextmanager
    def until_it_sends(self, waiting: socket.socket) -> Iterator[None]:
        """Wait for a client in the block, or in its beginning if the block discards the socket."""
        self.add(waiting)
        try:
            yield
        finally:
            self.discard(waiting)

    def discard(self, waiting: socket.socket) -> None:
        """Do not end it any more; before it is closed."""
        with self._lock:
            self._since.pop(waiting, None)
