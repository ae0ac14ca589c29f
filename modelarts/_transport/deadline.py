"""Connections that keep one deadline for a whole exchange, and record whether the request was sent."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Optional

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager
from urllib3.util.connection import allowed_gai_family, create_connection


class _Exchange:
    """One request and its reply, on one thread.

    Args:
        end: when it must be over, by the monotonic clock.
        read_timeout: seconds without a byte in either direction.
        sent: whether anything of the request was sent; `None` until a connection is requested.
    """

    __slots__ = ("end", "read_timeout", "sent")

    def __init__(self, end: float, read_timeout: float) -> None:
        self.end = end
        self.read_timeout = read_timeout
        self.sent: Optional[bool] = None

    def timeout(self) -> float:
        """Seconds that the next bytes may take. Raises `socket.timeout` when no time is left."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise socket.timeout("the time for this request is over")
        return min(left, self.read_timeout)


_thread = threading.local()  # `exchange`: the one that this thread is in, or was in last


class DeadlineAdapter(HTTPAdapter):
    """An adapter that keeps a deadline, also when a service sends one byte at a time and no read takes long."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        if type(manager) is ProxyManager:  # those for SOCKS have connections of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def exchange(
        self, end: float, read_timeout: float, request: Any, receive: Callable[[requests.Response], None],
        **options: Any,
    ) -> requests.Response:  # fmt: skip
        """Send a request, and have its reply received, by a time of the monotonic clock."""
        _thread.exchange = _Exchange(end, read_timeout)
        reply = self.send(request, **options)
        try:
            receive(reply)
        finally:
            reply.close()  # a connection with a reply that was not read to its end is of no use to another request
        return reply


def was_sent() -> Optional[bool]:
    """Whether anything of this thread's last request was sent; `None` where no connection was requested."""
    exchange: Optional[_Exchange] = getattr(_thread, "exchange", None)
    return exchange.sent if exchange else None


class _TimedReader(io.RawIOBase):
    """The bytes of a socket, each read within the time that is left."""

    def __init__(self, raw: Any, connected: socket.socket, exchange: _Exchange) -> None:
        self._raw = raw
        self._socket = connected
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._socket.settimeout(self._exchange.timeout())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A reply whose head is read in time, too.

    `http.client` reads status line and headers to their end before it returns, so a timeout can be set
    between two of their bytes only in its file object. It serves for the body and for the reply to
    CONNECT as well.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw: Any = self.fp.detach()
        self.fp = io.BufferedReader(_TimedReader(raw, sock, _thread.exchange))

    def _read_status(self) -> Any:
        """The status of the final reply; interim ones (103 and the like), each with headers, are skipped."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not http.client.SWITCHING_PROTOCOLS < status < http.client.OK:
                return version, status, reason
            while self.fp.readline(65537).strip():
                pass


class _Timed:
    """Connects within the time for all addresses of a name, and sends within the deadline."""

    def _new_conn(self: Any) -> socket.socket:
        # urllib3 gives each address the full timeout, so a name with five dead ones would take five times as long.
        end = time.monotonic() + (self.timeout or 60.0)
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(address[4][0] for address in found))
        for number, address in enumerate(addresses):
            share = max(end - time.monotonic(), 0.001) / (len(addresses) - number)
            try:
                place = (str(address), self.port)
                connected = create_connection(place, share, self.source_address, self.socket_options)
                connected.settimeout(max(end - time.monotonic(), 0.001))  # for a handshake
                return connected
            except OSError as error:
                failure = error
        if isinstance(failure, socket.timeout):
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out") from failure
        raise NewConnectionError(self, f"Failed to establish a new connection: {failure}") from failure

    def connect(self: Any) -> None:
        try:
            super().connect()  # type: ignore[misc]
        finally:
            _thread.exchange.sent = False  # what was sent so far opened a tunnel

    def send(self: Any, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange: _Exchange = _thread.exchange
        exchange.sent = True
        rest = memoryview(data)
        while rest:
            self.sock.settimeout(exchange.timeout())
            rest = rest[self.sock.send(rest) :]


class _Connection(_Timed, HTTPConnection):
    response_class = _Response


class _SecureConnection(_Timed, HTTPSConnection):
    response_class = _Response


class _Begun:
    """Records that a connection was requested."""

    def urlopen(self: Any, *args: Any, **kwargs: Any) -> Any:
        _thread.exchange.sent = False
        return super().urlopen(*args, **kwargs)  # type: ignore[misc]


class _Pool(_Begun, HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_Begun, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}
