"""The TLS server of `--auth iam`: IAM, the v1 API and OBS at one additional address of the service."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any, Callable
from urllib.parse import unquote_to_bytes

import attrs
from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl import Adapter
from cheroot.wsgi import Server

from modelarts._wire.v1 import limits
from modelarts.errors import ServiceError
from modelarts.local.api.app import Activity, create_app, logger
from modelarts.local.api.handlers.context import Service
from modelarts.local.emulator import certificate, kept_port
from modelarts.local.emulator.iam import accounts
from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.emulator.iam.app import IamApp
from modelarts.local.emulator.iam.authentication import IamAuthenticator
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.obs import cleanup
from modelarts.local.emulator.obs.app import ObsApp
from modelarts.local.emulator.obs.metadata import MetadataStore
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.request import discard
from modelarts.local.emulator.obs.signatures import ObsAuthenticator
from modelarts.local.emulator.strict_headers import StrictHeaderReader
from modelarts.local.paths import LocalHome

THREADS = 16
HANDSHAKE_TIMEOUT = 10.0  # seconds
IDLE_TIMEOUT = 60  # seconds after which an idle connection is closed
HEADER_BYTES = 64 * 1024
MAX_READ_BYTES = 2**30  # of a rejected body or one chunk; with more, the connection is closed

_IAM = "/v3.0/"  # the beginning of its other paths; `/v3.0` itself is a name that no bucket can get
_APIS = ("v1", "v2")

_TOO_LARGE = b"The body is too large."
_HTTPS_ONLY = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 33\r\n\r\nThis address is for https:// only"
)

Application = Callable[..., Iterable[bytes]]


@attrs.frozen
class TlsServer:
    """The address of the emulated cloud. The server runs until the process ends."""

    url: str
    certificates: certificate.Certificates
    account: Account


def start_tls_server(service: Service, activity: Activity, home: LocalHome, region: str, port: int) -> TlsServer:
    """Serve on a port, or on that of the last start or any free one if it is 0, in threads of this process.

    Raises:
        ServiceError, OSError: the port cannot be used, or a file cannot be read or written.
    """
    account = accounts.load_or_create(home.account, region)
    certificates = certificate.ensure(home.iam)
    tokens = Tokens(account)
    authenticator = IamAuthenticator(account, tokens)
    iam = IamApp(account, tokens, authenticator, activity)
    v1 = create_app(service, authenticator.authenticate_for_project, account.project_id, activity)
    for folder in (home.buckets, home.obs):
        cleanup.remove_abandoned_below(folder)
    store = ObjectStore(home.buckets, MetadataStore(home.obs), account.region, account.domain_id)
    port = port or kept_port.choose(home.iam / "port.json")
    server = _create_server(application(iam, v1, ObsApp(store, ObsAuthenticator(tokens), activity)), certificates, port)
    return TlsServer(f"https://127.0.0.1:{_listen(server, port)}", certificates, account)


def application(iam: Application, v1: Application, obs: Application) -> Application:
    """All three as one WSGI application. Each response has a request id (modelarts_03_0003)."""
    host = socket.gethostname()

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("wsgi.input_terminated"):
            environ["wsgi.input"].maxlen = MAX_READ_BYTES  # a chunk is read at once
        path, _, environ["QUERY_STRING"] = environ["REQUEST_URI"].partition("?")
        # cheroot treats `//v1` as a host and does not decode %2F; waitress, which serves the other address, decodes it.
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        request_id = f"{uuid.uuid4().hex}-{time.time_ns() // 1_000_000}-{host}"

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-request-id", request_id)], *rest)

        app = _application_at(environ["PATH_INFO"], iam, v1, obs)
        if app is obs:
            return obs(environ, start)
        if not _check_size(environ):
            start("413 Request Entity Too Large", [("Content-Length", str(len(_TOO_LARGE)))])
            return [_TOO_LARGE]
        return app(environ, start)

    return respond


def _application_at(path: str, iam: Application, v1: Application, obs: Application) -> Application:
    """Which of the three answers a path."""
    first = path[1:].partition("/")[0]
    if first == "v3" or path.startswith(_IAM):
        return iam
    return v1 if first in _APIS or path.startswith("//") else obs


def _check_size(environ: dict[str, Any]) -> bool:
    """Whether the body is small enough. A larger one is read and discarded, unless it is very large."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if limits.BODY_BYTES < length <= MAX_READ_BYTES:
        discard(environ["wsgi.input"])
    return length <= MAX_READ_BYTES


class _Tls(Adapter):
    """TLS for the server. `_Connection` does the handshake: here it would block all other clients."""

    def __init__(self, server: str) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(server)

    def bind(self, sock: Any) -> Any:
        return sock

    def wrap(self, sock: Any) -> Any:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, self.get_environ()

    def get_environ(self) -> Any:
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        return (StreamReader if "r" in mode else StreamWriter)(sock, mode, bufsize)


class _Request(HTTPRequest):
    """A request whose path may begin with two slashes, as in the documented samples (SLASH)."""

    header_reader = StrictHeaderReader()

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, strict_mode=False)


class _Connection(HTTPConnection):
    """A connection whose handshake is done by the thread that handles its requests."""

    RequestHandlerClass = _Request
    _handshake_done = False

    def communicate(self) -> Any:
        if not self._handshake_done:
            self.socket.settimeout(HANDSHAKE_TIMEOUT)
            try:
                self.socket.do_handshake()
            except OSError as error:
                logger.info("TLS handshake failed: %s", error)
                if getattr(error, "reason", "") == "HTTP_REQUEST":
                    os.write(self.socket.fileno(), _HTTPS_ONLY)
                return False
            self.socket.settimeout(IDLE_TIMEOUT)
            self._handshake_done = True
        return super().communicate()  # type: ignore[no-untyped-call]


def _create_server(app: Application, certificates: certificate.Certificates, port: int) -> Server:
    server = Server(
        ("127.0.0.1", port), app, numthreads=THREADS, server_name="modelarts", timeout=IDLE_TIMEOUT,
        request_queue_size=128,
    )  # fmt: skip
    server.ssl_adapter = _Tls(str(certificates.server))
    server.ConnectionClass = _Connection
    server.keep_alive_conn_limit = 128
    server.max_request_header_size = HEADER_BYTES
    server.max_request_body_size = 0  # `application` sets limits: an object may be large
    return server


def _listen(server: Server, port: int) -> int:
    """Start the server and return its port. All its threads are daemon threads, as the one that starts them."""
    os.environ.pop("LISTEN_PID", None)  # cheroot would use descriptor 3 as its listening socket
    prepared = threading.Event()
    failed: list[OSError] = []

    def run() -> None:
        try:
            server.prepare()
        except OSError as error:
            failed.append(error)
        finally:
            prepared.set()
        if not failed:
            server.serve()

    threading.Thread(target=run, name="iam", daemon=True).start()
    prepared.wait()
    if failed:
        raise ServiceError(f"port {port} cannot be used for --auth iam: {failed[0]}. Free it, or choose another --port")
    return int(server.bind_addr[1])
