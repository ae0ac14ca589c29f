"""A proxy in front of the S3 server that records every request and causes faults."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Union
from urllib.parse import unquote

import attrs

CHUNK = 1 << 16


@attrs.define
class Request:
    """A request as it arrived, and how many bytes were transferred for it."""

    method: str
    target: str
    headers: dict[str, str]
    body: int = 0  # bytes of the body that were received
    sent: int = 0  # bytes of the reply's body that were forwarded
    status: int = 0

    @property
    def key(self) -> str:
        """The object; empty for a request on the bucket."""
        return unquote(self.target.partition("?")[0]).lstrip("/").partition("/")[2]

    @property
    def is_part(self) -> bool:
        return self.method == "PUT" and "partNumber=" in self.target


MARK = {"x-amz-request-id": "R1"}  # what replies of OBS have, and others do not


@attrs.frozen
class Reply:
    """Send this reply instead of that of the server."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = attrs.Factory(dict)


@attrs.frozen
class CutBody:
    """Break the connection after so many bytes of the request's body."""

    after: int


@attrs.frozen
class CutReply:
    """Pass the request on, then break the connection after so many bytes of the reply's body, or before its head."""

    after: int | None = None
    clean: bool = False  # end it, instead of resetting it


@attrs.frozen
class Stall:
    """Accept the request and never reply."""


@attrs.frozen
class Damage:
    """Change the first byte of the reply's body."""


Fault = Union[Reply, CutBody, CutReply, Stall, Damage, None]
Rule = Callable[[Request], Fault]


def error_reply(status: int, code: str, message: str = "simulated") -> Reply:
    """An error in the format of OBS."""
    text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R1</RequestId></Error>"
    return Reply(status, text.encode(), {"Content-Type": "application/xml"})


class FaultProxy(ThreadingHTTPServer):
    """Forwards requests to a port of this machine; `rule` returns the faults."""

    daemon_threads = True
    request_queue_size = 128  # of 5, connections of many threads can get lost

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.upstream_port = port
        self.rule: Rule = lambda request: None
        self.seen: list[Request] = []
        self.connections = 0
        self.open: list[socket.socket] = []
        self.closing = threading.Event()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self.closing.is_set():
            self.handle_request()

    def close(self) -> None:
        self.closing.set()
        while self._thread.is_alive():
            with contextlib.suppress(OSError), socket.create_connection(self.server_address, 1):  # which wakes it
                self._thread.join(1)
        self.server_close()

    def break_connections(self) -> None:
        """Close all connections that are open."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def times(self, count: int, fault: Fault, where: Callable[[Request], bool] = lambda request: True) -> None:
        """Apply a fault to the next so many requests of a kind."""
        lock, left = threading.Lock(), [count]

        def rule(request: Request) -> Fault:
            with lock:
                if left[0] and where(request):
                    left[0] -= 1
                    return fault
                return None

        self.rule = rule

    def requests_of(self, method: str, part: str = "") -> list[Request]:
        """The requests of a method whose target contains a text."""
        return [request for request in self.seen if request.method == method and part in request.target]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are expected."""


class _Handler(BaseHTTPRequestHandler):
    server: FaultProxy
    protocol_version = "HTTP/1.1"
    timeout = 30

    def setup(self) -> None:
        self.server.connections += 1
        self.server.open.append(self.request)
        super().setup()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        self.server.seen.append(request)
        fault = self.server.rule(request)
        if isinstance(fault, Reply):
            for _ in self._body(request):
                pass
            self._answer(fault.status, {**fault.headers, "Content-Length": str(len(fault.body))})
            self.wfile.write(b"" if self.command == "HEAD" else fault.body)
        elif isinstance(fault, CutBody):
            for _ in self._body(request, fault.after):
                pass
            self._break_off()
        elif isinstance(fault, Stall):
            self.server.closing.wait(30)
            self.close_connection = True
        else:
            self._pass_on(request, fault)

    def _pass_on(self, request: Request, fault: Fault) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        upstream.request(self.command, self.path, self._body(request), headers)
        reply = upstream.getresponse()
        request.status = reply.status
        if fault == CutReply():
            upstream.close()
            self._break_off()
            return
        kept = {name: value for name, value in reply.getheaders() if name.lower() not in ("connection", "date")}
        self._answer(reply.status, kept)
        limit = fault.after if isinstance(fault, CutReply) else None
        while limit is None or request.sent < limit:
            chunk = reply.read(CHUNK if limit is None else min(CHUNK, limit - request.sent))
            if not chunk:
                break
            if isinstance(fault, Damage) and not request.sent:
                chunk = bytes([chunk[0] ^ 1]) + chunk[1:]
            request.sent += len(chunk)  # before: the client may have all of it before this thread continues
            self.wfile.write(chunk)
        upstream.close()
        if isinstance(fault, CutReply):
            self.wfile.flush()
            self._break_off(fault.clean)

    def _body(self, request: Request, limit: int | None = None) -> Iterator[bytes]:
        left = int(self.headers.get("content-length") or 0)
        while left and (limit is None or request.body < limit):
            chunk = self.rfile.read1(min(CHUNK, left))
            if not chunk:
                raise ConnectionResetError("the client broke off")
            left -= len(chunk)
            request.body += len(chunk)
            yield chunk

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _break_off(self, clean: bool = False) -> None:
        self.close_connection = True
        if not clean:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close() if not clean else self.connection.shutdown(socket.SHUT_WR)

    def log_message(self, *_: Any) -> None:
        pass
