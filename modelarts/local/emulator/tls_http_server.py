"""The HTTPS server of `--auth iam`: cheroot, with connections that cannot keep each other out.

Connections that wait have the limits of `connection_limits`.
"""

from __future__ import annotations

import logging
import selectors
import time
from typing import Any, Optional

from cheroot import connections
from cheroot.wsgi import Server

from modelarts.local import connection_limits
from modelarts.local.api.app import logger
from modelarts.local.emulator.tls_connections import HEADER_BYTES, IDLE, TlsAdapter, TlsConnection

_THREADS = 16  # at the start; more are started while all are occupied
_MOST_THREADS = 64
_ACCEPTED_AT_ONCE = 64


class _Connections(connections.ConnectionManager):
    """The connections that wait, and how many may."""

    _selector: Any

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._select, self._selector.select = self._selector.select, self._make_room_and_select
        self._accepted = 0
        self._lacks_files = False

    def wait_for(self, connection: TlsConnection) -> None:
        """Look at a connection again when it has received something."""
        self._selector.register(connection.socket.fileno(), selectors.EVENT_READ, data=connection)

    def put(self, conn: Any) -> None:
        conn.enter(IDLE)
        super().put(conn)

    def _from_server_socket(self, server_socket: Any) -> Any:
        self._accepted += 1
        try:
            return super()._from_server_socket(server_socket)  # type: ignore[misc]
        except OSError as error:
            self._lacks_files = error.errno in connection_limits.NO_FILES
            if not self._lacks_files:
                raise
            return None

    def _make_room_and_select(self, timeout: Optional[float] = None) -> Any:
        """What has arrived. Connections are closed before, so that none of those that are served next is closed."""
        if self._lacks_files:
            self._lacks_files = False
            self._close(connection_limits.surplus(
                [(found.since, found) for found in self._waiting()], 0, _ACCEPTED_AT_ONCE, time.time()
            ))  # fmt: skip
            time.sleep(connection_limits.PAUSE)
        elif self._accepted >= _ACCEPTED_AT_ONCE:
            self._accepted = 0
            self._make_room(time.time())
        return self._select(timeout)

    def _expire(self, threshold: float) -> None:
        now = time.time()
        self._close(connection for connection in self._waiting() if connection.is_late(now))
        self._make_room(now)

    def _waiting(self) -> list[TlsConnection]:
        return [connection for _, connection in self._selector.connections if connection is not self.server]

    def _make_room(self, now: float) -> None:
        limits = {True: connection_limits.IDLE, False: connection_limits.WITHOUT_HEADER}
        if len(self._selector) <= min(limits.values()):
            return
        waiting = self._waiting()
        for is_idle, limit in limits.items():
            kind = [(found.since, found) for found in waiting if (found.stage == IDLE) == is_idle]
            self._close(connection_limits.surplus(kind, limit, len(waiting) - self.server.room, now))

    def _close(self, surplus: Any) -> None:
        for connection in surplus:
            self._selector.unregister(connection.socket.fileno())
            connection.close()


class TlsHttpServer(Server):
    """A server on the loopback address.

    Args:
        application: of WSGI.
        certificate: a file with the certificate and its key.
        port: 0 for any free one.
    """

    _connections: Any

    def __init__(self, application: Any, certificate: str, port: int) -> None:
        super().__init__(
            ("127.0.0.1", port), application, numthreads=_THREADS, max=_MOST_THREADS, server_name="modelarts",
            timeout=int(connection_limits.STALL_TIMEOUT), request_queue_size=1024,
        )  # fmt: skip
        self.room = connection_limits.room()
        self.ssl_adapter = TlsAdapter(certificate)
        self.ConnectionClass = TlsConnection
        self.keep_alive_conn_limit = 2 * connection_limits.CONNECTIONS  # `_Connections` has its own
        self.max_request_header_size = HEADER_BYTES
        self.max_request_body_size = 0  # the application has limits

    def prepare(self) -> None:
        super().prepare()
        self._connections._selector.close()
        self._connections = _Connections(self)

    def process_conn(self, conn: Any) -> None:
        """Give a connection to a thread once its header is there."""
        outcome = conn.advance()
        if outcome is None:
            self.wait_for(conn)
        elif outcome:
            if not self.requests.idle:
                self.requests.grow(1)
            super().process_conn(conn)
        else:
            conn.close()

    def wait_for(self, connection: TlsConnection) -> None:
        self._connections.wait_for(connection)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Write to the log of the service; a client that breaks off is not worth a traceback."""
        is_failure = level >= logging.ERROR
        logger.log(level if is_failure else logging.DEBUG, "HTTPS: %s", msg, exc_info=traceback and is_failure)
