"""The HTTP server of the v1 API: waitress, with connections that cannot keep each other out.

Connections that wait, for the end of a header or for their next request, are limited in number and time. If there are
too many, the oldest of their kind is closed; clients open another one. Headers decide how much of a body is received:
a request that is refused is answered at once, and the rest of its body is discarded.
"""

from __future__ import annotations

import functools
import io
import logging
import socket
import time
from typing import Any, Callable

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer

from modelarts.local import connection_limits

_ACCEPTED_AT_ONCE = 64
_MOST_THREADS = 64
_INTERVAL = 1  # seconds between two looks at the time-outs
_DISCARDED_AT_ONCE = 1 << 18
_FRAMING = 8  # bytes of a chunked body for each byte of content, at most
_UNBOUNDED = 1 << 62  # for waitress, whose own limit is the same for all requests

logger = logging.getLogger("modelarts.local")

# From the WSGI environment of a request to the bytes that its body may have.
BodyLimit = Callable[[dict[str, Any]], int]


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request whose body is received as far as its header permits. The application gets a refused one without it."""

    refused = False
    body_rcv: Any

    def __init__(self, body_limit: BodyLimit, adj: Any) -> None:
        super().__init__(adj)
        self._body_limit = body_limit
        self._limit = 0

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        body = self.body_rcv
        if body is not None and not self.error:
            count = max(len(body), self.body_bytes_received // _FRAMING)
            if count > self._limit:
                self.headers["CONTENT_LENGTH"] = str(max(count, self.content_length))
                self._refuse()
        return len(data) if self.refused else consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is None:
            return
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("The length of a body must be given by Content-Length or by chunks, not both")
        try:
            self._limit = self._body_limit(_environ(self))
        except Exception:
            logger.exception("the limit of a body is not known")
        if self.content_length > self._limit or (self.chunked and not self._limit):
            self._refuse()

    def _refuse(self) -> None:
        self.body_rcv.getbuf().close()
        self.body_rcv = None
        self.content_length = 0
        self.expect_continue = False
        self.headers["CONNECTION"] = "close"
        self.refused = self.completed = True


def _environ(parser: _Parser) -> dict[str, Any]:
    """The environment of a request without its body."""
    names = ("CONTENT_LENGTH", "CONTENT_TYPE")
    headers = {name if name in names else f"HTTP_{name}": value for name, value in parser.headers.items()}
    return {
        **headers, "REQUEST_METHOD": parser.command, "REQUEST_URI": parser.request_uri, "PATH_INFO": parser.path,
        "QUERY_STRING": parser.query, "SCRIPT_NAME": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": parser.chunked,
    }  # fmt: skip


class _Connection(HTTPChannel):  # type: ignore[misc]
    """A connection that knows what it waits for, and since when."""

    close_when_flushed: bool

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any = None) -> None:
        super().__init__(server, sock, addr, adj, map=map)
        self.parser_class = functools.partial(_Parser, server.body_limit)
        self._used = False
        self._header_since = self.creation_time
        self._has_refused = False
        self._lingers_since = 0.0
        self._discarded = 0

    @property
    def _is_free(self) -> bool:
        """Whether no request is carried out, and nothing is left to send."""
        return not (self.requests or self.total_outbufs_len or self.close_when_flushed or self._lingers_since)

    @property
    def header_since(self) -> float:
        """Since when it waits for the end of a header, or of a refused body; 0 if it does not."""
        if self._lingers_since:
            return self._lingers_since
        waits = not self._used if self.request is None else not self.request.headers_finished
        return self._header_since if waits and self._is_free else 0.0

    @property
    def idle_since(self) -> float:
        """Since when it waits for another request; 0 if it does not."""
        return float(self.last_activity) if self._used and self.request is None and self._is_free else 0.0

    def is_late(self, now: float) -> bool:
        """Whether it has waited for too long."""
        if self._lingers_since:
            return now - self._lingers_since > connection_limits.LINGER_TIMEOUT
        if since := self.header_since:
            return now - since > connection_limits.HEADER_TIMEOUT
        if since := self.idle_since:
            return now - since > connection_limits.IDLE_TIMEOUT
        is_transferring = bool(self.total_outbufs_len) or not self.requests
        return is_transferring and now - float(self.last_activity) > connection_limits.STALL_TIMEOUT

    def received(self, data: bytes) -> Any:
        before = self.request
        result = super().received(data)
        if self._used and self.request is not None and self.request is not before:
            self._header_since = time.time()
        return result

    def service(self) -> None:
        self._used = True
        self._has_refused = self.requests[0].refused
        super().service()
        self.server.carried_out += 1

    def write_soon(self, data: Any) -> Any:
        if not self.total_outbufs_len:
            self.last_activity = time.time()
        return super().write_soon(data)

    def handle_read(self) -> None:
        if not self._lingers_since:
            super().handle_read()
            return
        self._discarded += len(self.recv(_DISCARDED_AT_ONCE))
        if self._discarded > connection_limits.DISCARDED:
            self.handle_close()

    def handle_write(self) -> None:
        if not (self.close_when_flushed and self._has_refused):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif not self.total_outbufs_len:
            self.close_when_flushed = False
            self._lingers_since = time.time()
            self.socket.shutdown(socket.SHUT_WR)


class HttpServer(TcpWSGIServer):  # type: ignore[misc]
    """A server on the loopback address, which listens when it is created.

    Args:
        application: of WSGI.
        body_limit: how many bytes the body of a request may have, by its header.
        port: 0 for any free one.
        threads: how many requests are carried out at once; more while all wait, as for clients that do not read.
        ident: the header `Server` of responses.

    Raises:
        OSError: the port cannot be used.
    """

    channel_class = _Connection

    def __init__(self, application: Any, body_limit: BodyLimit, port: int, threads: int, ident: str) -> None:
        self.body_limit = body_limit
        self.carried_out = 0  # requests; each thread counts, and a count may be lost
        self._carried_out_before = 0
        self._threads = threads
        self._room = connection_limits.room()
        super().__init__(application, adj=Adjustments(
            host="127.0.0.1", port=port, threads=threads, ident=ident, asyncore_use_poll=True,
            connection_limit=self._room + _ACCEPTED_AT_ONCE, cleanup_interval=_INTERVAL,
            max_request_body_size=_UNBOUNDED, clear_untrusted_proxy_headers=True,
        ))  # fmt: skip

    def accept(self) -> Any:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in connection_limits.NO_FILES:
                raise
            waiting = [(found.header_since or found.idle_since, found) for found in self.active_channels.values()]
            self._close(connection_limits.surplus(filter(_waits, waiting), 0, _ACCEPTED_AT_ONCE, time.time()))
            time.sleep(connection_limits.PAUSE)
            return None

    def handle_accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                break
        self._make_room(time.time())

    def maintenance(self, now: float) -> None:
        for connection in list(self.active_channels.values()):
            if connection.is_late(now):
                connection.handle_close()
        self._make_room(now)
        self._add_threads()

    def _add_threads(self) -> None:
        """Start more threads if requests wait, and none has been carried out since the last look."""
        dispatcher = self.task_dispatcher
        if dispatcher.queue and self.carried_out == self._carried_out_before:
            dispatcher.set_thread_count(min(len(dispatcher.threads) + self._threads, _MOST_THREADS))
        self._carried_out_before = self.carried_out

    def _make_room(self, now: float) -> None:
        self._close_oldest(connection_limits.WITHOUT_HEADER, now, lambda connection: connection.header_since)
        self._close_oldest(connection_limits.IDLE, now, lambda connection: connection.idle_since)

    def _close_oldest(self, limit: int, now: float, since: Callable[[_Connection], float]) -> None:
        too_many = len(self.active_channels) - self._room
        if len(self.active_channels) > limit:
            waiting = [(since(connection), connection) for connection in self.active_channels.values()]
            self._close(connection_limits.surplus(filter(_waits, waiting), limit, too_many, now))

    def _close(self, surplus: list[_Connection]) -> None:
        for connection in surplus:
            connection.handle_close()


def _waits(entry: tuple[float, _Connection]) -> bool:
    return entry[0] > 0
