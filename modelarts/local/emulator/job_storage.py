"""The address at which jobs reach the buckets with clients of OBS and S3, over HTTP and HTTPS on the same port.

A job has the address in its environment, so it stays the same after a restart of the service if that is possible. It is
not served by the server of the v1 API, which has no TLS. A server is made when the first client connects.
"""

from __future__ import annotations

import select
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable

from modelarts.local.api.app import Application, logger
from modelarts.local.emulator import kept_port
from modelarts.local.paths import LocalHome

if TYPE_CHECKING:
    import ssl

    from werkzeug.serving import BaseWSGIServer

_TLS_HANDSHAKE = b"\x16"  # the first byte of a connection with TLS
_PATIENCE = 60.0  # seconds for the next bytes of a client
_POLL_INTERVAL = 3600.0  # seconds; the server ends with the process


def listen(home: LocalHome) -> socket.socket:
    """A socket to which the jobs of a home can connect. Raises `OSError`."""
    return kept_port.listen(home.storage)


def address_of(listener: socket.socket) -> str:
    """Host and port."""
    host, port = listener.getsockname()
    return f"{host}:{port}"


def serve(listener: socket.socket, home: LocalHome, app: Callable[[], Application]) -> None:
    """Serve buckets in threads of this process; `app` makes the application when it is needed."""
    threading.Thread(target=_serve, args=(listener, home, app), name="storage", daemon=True).start()


def _serve(listener: socket.socket, home: LocalHome, app: Callable[[], Application]) -> None:
    """Wait for the first client, and serve it and all others until the process ends."""
    select.select([listener], [], [])
    _server(listener, home, app()).serve_forever(_POLL_INTERVAL)


def _server(listener: socket.socket, home: LocalHome, app: Application) -> BaseWSGIServer:
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        """A request, which is not logged."""

        timeout = _PATIENCE

        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    class Server(ThreadedWSGIServer):
        """A server whose connections begin with TLS or without it."""

        _tls: ssl.SSLContext | None = None

        def finish_request(self, request: Any, client_address: Any) -> None:
            request.settimeout(_PATIENCE)
            try:
                if request.recv(1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
                    return super().finish_request(request, client_address)
                with self.tls().wrap_socket(request, server_side=True) as wrapped:
                    return super().finish_request(wrapped, client_address)
            except OSError as error:  # also a client that has gone, or does not trust the certificate
                logger.info("a client of the buckets is not served: %s", error)

        def tls(self) -> ssl.SSLContext:
            if self._tls is None:
                self._tls = _tls_context(home)
            return self._tls

        def handle_error(self, request: Any, client_address: Any) -> None:
            logger.exception("a client of the buckets could not be served")

    return Server(kept_port.HOST, listener.getsockname()[1], app, Handler, fd=listener.fileno())


def _tls_context(home: LocalHome) -> ssl.SSLContext:
    """The context of this server. Its certificate is created when it is needed first. Raises `OSError`."""
    import ssl

    try:
        from modelarts.local.emulator import certificate
    except ImportError:
        raise OSError("HTTPS needs a package that is not installed: pip install 'modelarts[iam]'") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    home.iam.mkdir(mode=0o700, parents=True, exist_ok=True)
    context.load_cert_chain(certificate.ensure(home.iam).server)
    return context
