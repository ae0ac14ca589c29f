"""Exchanges with an end: connections that keep one deadline for all of it, and know whether a request went out."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager
from urllib3.util.connection import allowed_gai_family, create_connection

from modelarts._transport.timed_reads import read_in_time

LARGEST = 256 << 20  # bytes of an answer when it is unpacked; the largest documented ones are logs of 5 MB
CHUNK = 64 << 10

_exchange = threading.local()


class DeadlineAdapter(HTTPAdapter):
    """An adapter that keeps a deadline: a service that drips byte after byte meets no read time-out otherwise."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        if type(manager) is ProxyManager:  # those for SOCKS have connections of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send_until(self, deadline: float, request: Any, **options: Any) -> Any:
        """Send, and read the whole answer until a moment of the monotonic clock."""
        _exchange.deadline, _exchange.sent = deadline, None
        try:
            reply = self.send(request, **options)
            _read_whole(reply)  # here: an answer that breaks off is a failure of this attempt
        finally:
            _exchange.deadline = None
        return reply


def was_sent() -> bool | None:
    """Whether anything of this thread's last request went out; `None` where no connection was asked."""
    return getattr(_exchange, "sent", None)


def _read_whole(reply: Any) -> None:
    size = 0
    chunks = []
    for chunk in reply.iter_content(CHUNK):
        size += len(chunk)
        if size > LARGEST:
            reply.close()
            raise requests.ConnectionError(f"the answer is longer than {LARGEST >> 20} MB")
        chunks.append(chunk)
    reply._content = b"".join(chunks)


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        deadline = getattr(_exchange, "deadline", None)
        if deadline is not None:
            read_in_time(self, sock, partial(_left, deadline, sock.gettimeout()))

    def _read_status(self) -> Any:
        """The status of the answer itself: interim ones (103 and the like) come before it, each with its headers."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not http.client.SWITCHING_PROTOCOLS < status < http.client.OK:
                return version, status, reason
            while self.fp.readline(65537).strip():
                pass


def _left(deadline: float, patience: float | None) -> float:
    """Seconds that the next bytes may take."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("the answer was not whole in time")
    return left if patience is None else min(left, patience)


class _Watched:
    """Connects within the time that there is for all addresses of a name; notes when a request goes out."""

    def _new_conn(self: Any) -> socket.socket:
        until = time.monotonic() + (self.timeout or 60.0)
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(address[4][0] for address in found))
        for number, address in enumerate(addresses):
            share = max(until - time.monotonic(), 0.001) / (len(addresses) - number)
            try:
                found_at = (str(address), self.port)
                connected = create_connection(found_at, share, self.source_address, self.socket_options)
                connected.settimeout(max(until - time.monotonic(), 0.001))  # for a handshake
                return connected
            except OSError as error:
                failure = error
        if isinstance(failure, socket.timeout):
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out") from failure
        raise NewConnectionError(self, f"Failed to establish a new connection: {failure}") from failure

    def _tunnel(self: Any) -> None:
        try:
            super()._tunnel()  # type: ignore[misc]
        finally:
            _exchange.sent = False  # what went out was for the proxy

    def send(self: Any, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _exchange.sent = True
        super().send(data)  # type: ignore[misc]


class _Connection(_Watched, HTTPConnection):
    response_class = _Response


class _SecureConnection(_Watched, HTTPSConnection):
    response_class = _Response


class _Begun:
    """Notes that a request has come as far as to a connection."""

    def urlopen(self: Any, *args: Any, **kwargs: Any) -> Any:
        _exchange.sent = False
        return super().urlopen(*args, **kwargs)  # type: ignore[misc]


class _Pool(_Begun, HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_Begun, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}
