"""The server of `job_storage`, imported when the first client connects. Connections begin with TLS or without it."""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from modelarts.local import connection_limits
from modelarts.local.api.app import Application, logger
from modelarts.local.emulator.waiting_sockets import WaitingSockets

if TYPE_CHECKING:
    import ssl

_TLS_HANDSHAKE = b"\x16"  # the first byte of a connection with TLS


class _Handler(WSGIRequestHandler):
    """A request, which is not logged."""

    timeout = connection_limits.HEADER_TIMEOUT
    server: BucketServer

    def handle_one_request(self) -> None:
        self.connection.settimeout(connection_limits.HEADER_TIMEOUT)
        with self.server.waiting.until_it_sends(self.connection):
            super().handle_one_request()

    def parse_request(self) -> bool:
        is_parsed = super().parse_request()
        self.server.waiting.discard(self.connection)
        self.connection.settimeout(connection_limits.STALL_TIMEOUT)
        return is_parsed

    def send_response(self, code: Any, message: Any = None) -> None:
        if int(code) >= HTTPStatus.BAD_REQUEST:  # the rest of its body is discarded
            self.server.waiting.add(self.connection)
            self.connection.settimeout(connection_limits.LINGER_TIMEOUT)
        super().send_response(code, message)

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class BucketServer(ThreadedWSGIServer):
    """Serves an application over HTTP and HTTPS.

    Args:
        listener: the socket that clients connect to.
        app: the application.
        certificates: a folder for the certificate, which is created when a client first uses TLS.
    """

    def __init__(self, listener: socket.socket, app: Application, certificates: Path) -> None:
        self._certificates = certificates
        self._tls: ssl.SSLContext | None = None
        self.waiting = WaitingSockets()
        host, port = listener.getsockname()
        super().__init__(host, port, app, _Handler, fd=listener.fileno())

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(connection_limits.HEADER_TIMEOUT)
        try:
            with self.waiting.until_it_sends(request):
                has_tls = request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
            if not has_tls:
                return super().finish_request(request, client_address)
            self._tls = self._tls or _tls_context(self._certificates)
            with self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as wrapped:
                with self.waiting.until_it_sends(wrapped):
                    wrapped.do_handshake()
                return super().finish_request(wrapped, client_address)
        except OSError as error:  # also a client that has gone, or does not trust the certificate
            logger.info("a client of the buckets is not served: %s", error)

    def get_request(self) -> Any:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in connection_limits.NO_FILES:
                time.sleep(connection_limits.PAUSE)
            raise

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("a client of the buckets could not be served")


def _tls_context(certificates: Path) -> ssl.SSLContext:
    """The context of the server. Raises `OSError`."""
    import ssl

    try:
        from modelarts.local.emulator import certificate
    except ImportError:
        raise OSError("HTTPS needs a package that is not installed: pip install 'modelarts[iam]'") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
    context.load_cert_chain(certificate.ensure(certificates).server)
    return context
