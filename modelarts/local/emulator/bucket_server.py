"""The server of `job_storage`, imported when the first client connects. Connections begin with TLS or without it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from modelarts.local.api.app import Application, logger

if TYPE_CHECKING:
    import ssl

_TLS_HANDSHAKE = b"\x16"  # the first byte of a connection with TLS
_PATIENCE = 60.0  # seconds for the next bytes of a client


class _Handler(WSGIRequestHandler):
    """A request, which is not logged."""

    timeout = _PATIENCE

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
        host, port = listener.getsockname()
        super().__init__(host, port, app, _Handler, fd=listener.fileno())

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_PATIENCE)
        try:
            if request.recv(1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
                return super().finish_request(request, client_address)
            self._tls = self._tls or _tls_context(self._certificates)
            with self._tls.wrap_socket(request, server_side=True) as wrapped:
                return super().finish_request(wrapped, client_address)
        except OSError as error:  # also a client that has gone, or does not trust the certificate
            logger.info("a client of the buckets is not served: %s", error)

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
