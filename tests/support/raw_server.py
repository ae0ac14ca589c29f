"""A server on the loopback address with prepared responses and failures, which a faked transport does not have."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Union
from urllib.parse import urlsplit

RESET, SILENCE = "reset", "silence"
# RESET, SILENCE, raw bytes, the JSON body of a reply, or a function of the connection and an event for the end
Action = Union[str, bytes, dict[str, Any], Callable[[socket.socket, threading.Event], None]]


class RawServer(socketserver.ThreadingTCPServer):
    """Responds to `METHOD /path` of a project with prepared actions, one after the other; the last one is repeated."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, actions: dict[str, list[Action]], keep_alive: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.actions = {call: list(script) for call, script in actions.items()}
        self.calls: list[str] = []
        self.received: list[bytes] = []  # raw requests: heads and bodies
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_address[1]}"
        self.tls = tls
        self.keep_alive = keep_alive
        self.closing = threading.Event()
        self.closed_connections = 0
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def get_request(self) -> Any:
        connection, address = super().get_request()
        return (self.tls.wrap_socket(connection, server_side=True) if self.tls else connection), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that close connections are expected."""

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed_connections += 1

    def next_action(self, call: str) -> Action:
        self.calls.append(call)
        script = self.actions[call]
        return script.pop(0) if len(script) > 1 else script[0]


class _Handler(socketserver.StreamRequestHandler):
    server: RawServer

    def handle(self) -> None:
        head = b""
        while line := self.rfile.readline().rstrip():
            head += line + b"\n"
        if not head:
            return
        method, target = head.split()[:2]
        fields = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:])
        self.server.received.append(head + b"\n" + self.rfile.read(int(fields.get(b"content-length", 0))))
        path = urlsplit(target.decode()).path  # a proxy receives complete URLs
        action = self.server.next_action(f"{method.decode()} /{path.split('/', 3)[3]}")
        if callable(action):
            action(self.request, self.server.closing)
        elif action == SILENCE:
            self.server.closing.wait(30)
        elif action == RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.wfile.write(action if isinstance(action, bytes) else reply(action, self.server.keep_alive))


def reply(body: Any, keep_alive: bool = False) -> bytes:
    """A complete response as bytes."""
    content = json.dumps(body).encode()
    connection = "keep-alive" if keep_alive else "close"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    head += f"Date: {formatdate(usegmt=True)}\r\n"
    return f"{head}Connection: {connection}\r\n\r\n".encode() + content
