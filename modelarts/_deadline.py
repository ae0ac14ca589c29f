"""Total deadlines: connections whose every read ends when the whole exchange should have."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_exchange = threading.local()


class DeadlineAdapter(HTTPAdapter):
    """An adapter that keeps a deadline: a service that drips byte after byte meets no read time-out otherwise."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send_until(self, deadline: float, request: Any, **options: Any) -> Any:
        """Send, and read the whole answer until a moment of the monotonic clock."""
        _exchange.deadline = deadline
        try:
            reply = self.send(request, **options)
            _ = reply.content  # read here: an answer that breaks off is a failure of this attempt
        finally:
            _exchange.deadline = None
        return reply


class _Reader(io.RawIOBase):
    """The bytes of a socket, none of them later than the deadline."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._socket = connected
        self._deadline = deadline
        self._patience = connected.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("the answer was not whole in time")
        self._socket.settimeout(left if self._patience is None else min(left, self._patience))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        deadline = getattr(_exchange, "deadline", None)
        if deadline is not None:
            raw: Any = self.fp.detach()
            self.fp = io.BufferedReader(_Reader(raw, sock, deadline))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
