"""The TLS server of `--auth iam`: IAM, the v1 API and OBS at one additional address of the service."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any, Callable
from urllib.parse import unquote_to_bytes

import attrs

from modelarts._wire.v1 import limits
from modelarts.errors import ServiceError
from modelarts.local.api.app import Activity, create_app
from modelarts.local.api.handlers.context import Service
from modelarts.local.emulator import certificate, kept_port
from modelarts.local.emulator.chunked_body import ChunkedBody
from modelarts.local.emulator.iam import accounts
from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.emulator.iam.app import IamApp
from modelarts.local.emulator.iam.authentication import IamAuthenticator
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.obs import cleanup
from modelarts.local.emulator.obs.app import ObsApp
from modelarts.local.emulator.obs.metadata import MetadataStore
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.signatures import ObsAuthenticator
from modelarts.local.emulator.tls_connections import LOGIN_BYTES
from modelarts.local.emulator.tls_http_server import TlsHttpServer
from modelarts.local.paths import LocalHome

_IAM = "/v3.0/"  # the beginning of its other paths; `/v3.0` itself is a name that no bucket can get
_APIS = ("v1", "v2")

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
    app = application(iam, v1, ObsApp(store, ObsAuthenticator(tokens), activity))
    server = TlsHttpServer(app, str(certificates.server), port)
    return TlsServer(f"https://127.0.0.1:{_listen(server, port)}", certificates, account)


def application(iam: Application, v1: Application, obs: Application) -> Application:
    """All three as one WSGI application. Each response has a request id (modelarts_03_0003)."""
    host = socket.gethostname()

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, _, environ["QUERY_STRING"] = environ["REQUEST_URI"].partition("?")
        # cheroot treats `//v1` as a host and does not decode %2F; waitress, which serves the other address, decodes it.
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        request_id = f"{uuid.uuid4().hex}-{time.time_ns() // 1_000_000}-{host}"

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-request-id", request_id)], *rest)

        app = _application_at(environ["PATH_INFO"], iam, v1, obs)
        if environ.get("wsgi.input_terminated"):
            received, limit = environ["wsgi.input"], limits.BODY_BYTES if app is v1 else LOGIN_BYTES
            environ["wsgi.input"] = ChunkedBody(received.rfile, received, None if app is obs else limit)
        return app(environ, start)

    return respond


def _application_at(path: str, iam: Application, v1: Application, obs: Application) -> Application:
    """Which of the three answers a path."""
    first = path[1:].partition("/")[0]
    if first == "v3" or path.startswith(_IAM):
        return iam
    return v1 if first in _APIS or path.startswith("//") else obs


def _listen(server: TlsHttpServer, port: int) -> int:
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
