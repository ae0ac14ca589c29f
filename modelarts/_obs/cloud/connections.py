"""Connections to OBS that keep the time-outs of each request: to connect, to wait for bytes, and for all of it."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Optional

import attrs

from modelarts._transport.options import TransportOptions
from modelarts._transport.timed_reads import read_in_time

_thread = threading.local()


@attrs.frozen
class Limit:
    """The time that a request has, with all its repeats."""

    sending: TransportOptions
    end: float

    @classmethod
    def of(cls, sending: TransportOptions) -> Limit:
        """That of a request that begins now."""
        return cls(sending, time.monotonic() + sending.total_timeout)

    @property
    def left(self) -> float:
        """Seconds until its end."""
        return self.end - time.monotonic()

    def at_most(self, seconds: float) -> float:
        """So many seconds, or what is left. Raises `socket.timeout` when nothing is."""
        left = self.left
        if left <= 0:
            raise socket.timeout("the time for this request is over")
        return min(seconds, left)


@contextmanager
def within(limit: Limit) -> Iterator[None]:
    """Within this block, what this thread sends has this time."""
    _thread.limit = limit
    try:
        yield
    finally:
        _thread.limit = None


def _limit() -> Limit:
    found: Optional[Limit] = getattr(_thread, "limit", None)
    return found or Limit.of(TransportOptions())


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        limit = _limit()
        read_in_time(self, sock, lambda: limit.at_most(limit.sending.read_timeout))


class _InTime:
    """What both kinds of connections do in time."""

    def connect(self: Any) -> None:
        _prepare(self)
        super().connect()  # type: ignore[misc]

    def send(self: Any, data: Any) -> None:
        if self.sock is None:
            self.connect()
        limit = _limit()
        self.sock.settimeout(limit.at_most(limit.sending.read_timeout))
        super().send(data)  # type: ignore[misc]


def _prepare(connection: Any) -> None:
    limit = _limit()
    connection.timeout = limit.at_most(limit.sending.connect_timeout)
    connection._create_connection = _connected


class _Connection(_InTime, http.client.HTTPConnection):
    response_class = _Response


class _SecureConnection(_InTime, http.client.HTTPSConnection):
    response_class = _Response


def _connected(address: tuple[str, int], timeout: float, source: Any = None) -> socket.socket:
    """A connection to any address of a name; together they have the time."""
    end = time.monotonic() + timeout
    found = socket.getaddrinfo(*address, 0, socket.SOCK_STREAM)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for number, (*_, place) in enumerate(found):
        share = max(end - time.monotonic(), 0.001) / (len(found) - number)
        try:
            return socket.create_connection((str(place[0]), address[1]), share, source)
        except OSError as error:
            failure = error
    raise failure


@cache
def secured(kind: Any) -> Any:
    """A class of clients of `esdk-obs-python` that get their TLS context from who makes them.

    The package's own one checks no names of hosts, and Python warns of how it is made.
    """

    class Secured(kind):  # type: ignore[misc]
        def _init_ssl_context(self, custom_ciphers: Any) -> None:
            """Leave `context` empty."""

    Secured.__name__ = Secured.__qualname__ = kind.__name__
    return Secured


@cache
def timed(kind: Any) -> Any:
    """A class of clients of `esdk-obs-python` whose connections are of this kind."""

    class Timed(kind):  # type: ignore[misc]
        def _get_server_connection_use_http1x(
            self, is_secure: bool, server: str, port: int, proxy_host: str | None, proxy_port: int | None
        ) -> Any:
            place = (proxy_host, proxy_port) if proxy_host and proxy_port else (server, port)
            return _SecureConnection(*place, context=self.context) if is_secure else _Connection(*place)

    return Timed
