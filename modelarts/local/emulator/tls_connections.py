"""TLS connections whose waiting occupies no thread: a thread gets one only once a complete header has been received.

cheroot gives each connection with data to a thread, which then waits for the rest. Here its loop does the handshakes
and receives the headers, without blocking. Connections that wait have the limits of `connection_limits`.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import time
from typing import Any, Optional
from urllib.parse import unquote_to_bytes

from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl import Adapter

from modelarts.local import connection_limits
from modelarts.local.api.app import logger
from modelarts.local.emulator.strict_headers import StrictHeaderReader

HEADER_BYTES = 64 * 1024
LOGIN_BYTES = 128 * 1024  # of the body of a login, which needs no credentials
_RECEIVED_AT_ONCE = 1 << 16
_END = b"\r\n\r\n"
_LOGINS = b"/v3"
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,18})")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:")
_HANDSHAKE, _HEADER, IDLE, _LINGER = "handshake", "header", "idle", "linger"
_TIMEOUTS = {
    _HANDSHAKE: "HEADER_TIMEOUT", _HEADER: "HEADER_TIMEOUT", IDLE: "IDLE_TIMEOUT", _LINGER: "LINGER_TIMEOUT",
}  # fmt: skip
_HTTPS_ONLY = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 33\r\n\r\nThis address is for https:// only"
)


class TlsAdapter(Adapter):
    """TLS for the server; a connection does its own handshake."""

    def __init__(self, certificate: str) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(certificate)

    def bind(self, sock: Any) -> Any:
        return sock

    def wrap(self, sock: Any) -> Any:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, self.get_environ()

    def get_environ(self) -> Any:
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        return (_Reader if "r" in mode else StreamWriter)(sock, mode, bufsize)


class _Reader(StreamReader):
    """What a connection receives; the loop adds what it has received itself."""

    _read_buf: bytes
    _read_pos: int
    expects_continue = False  # whether the client waits until its body is read

    def __init__(self, sock: ssl.SSLSocket, mode: str, bufsize: int) -> None:
        super().__init__(sock, mode, bufsize)
        self._sock = sock

    @property
    def buffered(self) -> bytes:
        return self._read_buf[self._read_pos :]

    def add(self, data: bytes) -> None:
        self._read_buf, self._read_pos = self.buffered + data, 0

    def read(self, *size: Any) -> bytes:
        self._continue()
        return bytes(super().read(*size))  # type: ignore[no-untyped-call]

    def readline(self, *size: Any) -> bytes:
        self._continue()
        return bytes(super().readline(*size))

    def _continue(self) -> None:
        if self.expects_continue:
            self.expects_continue = False
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def has_data(self) -> bool:
        return bool(self.buffered or self._sock.pending())


class _Request(HTTPRequest):
    """A request whose path may begin with two slashes, as in the documented samples (SLASH)."""

    header_reader = StrictHeaderReader()

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, strict_mode=False)

    def send_headers(self) -> None:
        """Close the connection after a response to a request whose body has not been received."""
        remaining = getattr(self.rfile, "remaining", 0)
        is_unread = not self.rfile.closed if self.chunked_read else remaining > len(self.conn.rfile.buffered)
        if is_unread:
            self.close_connection = self.conn.has_unread_body = True
        super().send_headers()


class TlsConnection(HTTPConnection):
    """A connection that knows what it waits for, and since when."""

    RequestHandlerClass = _Request
    has_unread_body = False

    def __init__(self, server: Any, sock: Any, makefile: Any) -> None:
        super().__init__(server, sock, makefile)
        self.stage = _HANDSHAKE
        self.since = time.time()
        self._discarded = 0

    def enter(self, stage: str) -> None:
        self.stage, self.since = stage, time.time()

    def is_late(self, now: float) -> bool:
        """Whether it has waited for too long."""
        return now - self.since > float(getattr(connection_limits, _TIMEOUTS[self.stage]))

    def advance(self) -> Optional[bool]:
        """Receive what there is, without blocking.

        Returns:
            True if a request can be carried out, False if the connection has ended, None if it waits for more.
        """
        self.socket.settimeout(0)
        try:
            return self._discard() if self.stage == _LINGER else self._receive()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return None
        except OSError as error:
            if self.stage == _HANDSHAKE:
                logger.info("TLS handshake failed: %s", error)
            if getattr(error, "reason", "") == "HTTP_REQUEST":
                with contextlib.suppress(OSError):
                    os.write(self.socket.fileno(), _HTTPS_ONLY)
            return False

    def _receive(self) -> bool:
        if self.stage == _HANDSHAKE:
            self.socket.do_handshake()
            self.stage = _HEADER
        while not _is_complete(self.rfile.buffered):
            data = self.socket.recv(_RECEIVED_AT_ONCE)
            if not data:
                return False
            if self.stage == IDLE:
                self.enter(_HEADER)
            self.rfile.add(data)
        self.socket.settimeout(connection_limits.STALL_TIMEOUT)
        return True

    def _discard(self) -> bool:
        """Discard the rest of a refused body, encrypted as it is."""
        while data := os.read(self.socket.fileno(), _RECEIVED_AT_ONCE):
            self._discarded += len(data)
            if self._discarded > connection_limits.DISCARDED:
                break
        return False

    def close(self) -> None:
        if self.has_unread_body and self.stage != _LINGER:
            self.enter(_LINGER)
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_WR)
                self.server.wait_for(self)
                return
        super().close()


def _is_complete(received: bytes) -> bool:
    """Whether a thread can carry out a request without waiting for a client that has not shown credentials.

    It has its header, and the body of a login, which is where those are.
    """
    header, end, body = received.lstrip(b"\r\n").partition(_END)
    if not end:
        return len(received) > HEADER_BYTES
    target = header.partition(b" ")[2].partition(b"?")[0]
    if not unquote_to_bytes(target).startswith(_LOGINS) or len(body) > LOGIN_BYTES:
        return True
    length = _LENGTH.search(header)
    if length is None:
        return _CHUNKED.search(header) is None or body.endswith(b"0\r\n\r\n")
    return int(length[1]) > LOGIN_BYTES or len(body) >= int(length[1])
