"""Connections that wait keep nobody out, and bodies are received only as far as the header of a request permits."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
import requests

from modelarts.local import connection_limits, daemon, http_server
from modelarts.local.http_server import HttpServer
from modelarts.local.paths import LocalHome
from modelarts.session import Session

POST = "POST /v1/local/training-jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
AT_ONCE = 3.0  # seconds, also on a busy machine; those that wait are closed after 10 at the earliest


@pytest.fixture
def token(shared_session: Session, shared_home) -> str:
    return daemon.find(shared_home).token


@pytest.fixture
def connect(shared_session: Session) -> Iterator:
    """Open a connection to the service, send some bytes, and leave it open."""
    own_port = int(shared_session.host.rpartition(":")[2])
    with contextlib.ExitStack() as stack:

        def opened(sent: str | bytes = "", port: int = own_port) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), AT_ONCE))
            connection.sendall(sent if isinstance(sent, bytes) else sent.encode())
            return connection

        yield opened


def test_connections_that_wait_do_not_keep_others_out(shared_session: Session, shared_home, token: str, connect):
    complete = f"GET /v1/local/job/ai-engines HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {token}\r\n\r\n"
    kinds = {"": 1200, POST: 200, f"{POST}Content-Length: 100\r\n\r\nhalf": 50, f"{POST}Content-Length: ": 50}
    for sent, count in {**kinds, complete: 350}.items():
        for _ in range(count):
            connect(sent)

        began = time.monotonic()
        with Session.local(shared_home) as another:
            assert another.client.call("list_job_engines").is_success
        assert shared_session.client.call("list_job_engines").is_success  # its connection may have been closed
        assert time.monotonic() - began < AT_ONCE, sent


def test_connections_that_wait_do_not_keep_jobs_from_the_buckets(shared_home, connect):
    port = json.loads(LocalHome.of(shared_home).storage.read_text())["port"]
    kinds = {"": 550, b"\x16\x03\x01\x00": 40, "PUT /b/k HTTP/1.1\r\n": 40}
    refused = "PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300000000\r\n\r\n"
    for sent, count in {**kinds, refused: 40, "GET /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": 40}.items():
        for _ in range(count):
            connect(sent, port)

        began = time.monotonic()
        assert reply_to(connect(refused, port)).status == 403, sent
        assert time.monotonic() - began < AT_ONCE, sent


def reply_to(connection: socket.socket) -> HTTPResponse:
    reply = HTTPResponse(connection)
    reply.begin()
    return reply


WITHOUT_CREDENTIALS = [
    ("/v1/local/training-jobs", "X-Auth-Token: guess", 401),
    ("/v1/local/training-jobs", "X-More: 1", 401),
    ("/v1/local/no-such-thing", "X-Auth-Token: ", 401),
    ("/bucket/key", "Authorization: OBS guess:guess\r\nDate: Thu, 07 Mar 2019 10:14:59 GMT", 403),
    ("/bucket/key", "Authorization: AWS4-HMAC-SHA256 guess", 400),
]


@pytest.mark.parametrize("length", ["Content-Length: 300000000", "Transfer-Encoding: chunked"])
def test_a_body_without_valid_credentials_is_refused_before_it_is_sent(connect, length: str):
    for path, header, status in WITHOUT_CREDENTIALS:
        connection = connect(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n{length}\r\n\r\n")

        reply = reply_to(connection)

        assert (reply.status, reply.headers["Connection"]) == (status, "close"), (path, header)


def test_a_body_beyond_the_limit_of_its_route_is_refused_before_it_is_sent(token: str, connect):
    begin = f"{POST}X-Auth-Token: {token}\r\n"

    assert reply_to(connect(f"{begin}Content-Length: 12582913\r\n\r\n")).status == 413
    assert connect(f"{begin}Content-Length: 12582912\r\nExpect: 100-continue\r\n\r\n").recv(12) == b"HTTP/1.1 100"
    chunked = connect(f"{begin}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n")
    with contextlib.suppress(OSError):  # it is refused while it is sent
        for _ in range(13):
            chunked.sendall(bytes(1 << 20))
    assert reply_to(chunked).status == 413


def test_a_client_that_sends_a_refused_body_reads_the_response(shared_session: Session):
    url = f"{shared_session.host}/v1/local/training-jobs"
    for body in (bytes(20 << 20), iter([bytes(1 << 20)] * 20)):
        assert requests.post(url, data=body, timeout=10).json()["error_code"] == "ModelArts.0201"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """A server whose time-outs are short."""
    released = threading.Event()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/blocks":
            released.wait(10)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    for name in ("HEADER_TIMEOUT", "STALL_TIMEOUT", "IDLE_TIMEOUT"):
        monkeypatch.setattr(connection_limits, name, 0.2)
    monkeypatch.setattr(http_server, "_INTERVAL", 0)
    server = HttpServer(application, lambda environ: 1000, 0, 2, "test")
    threading.Thread(target=server.run, daemon=True).start()
    yield server
    released.set()
    server.pull_trigger()
    server.task_dispatcher.shutdown()


WAITING = ["", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", "GET / HTTP/1.1\r\n\r\n"]


def test_a_connection_that_waits_is_closed_after_its_time(server: HttpServer):
    with contextlib.ExitStack() as stack:
        opened = [socket.create_connection(("127.0.0.1", server.effective_port), 5) for _ in WAITING]
        for connection, sent in zip(map(stack.enter_context, opened), WAITING):
            connection.sendall(sent.encode())
        for connection in opened:
            while connection.recv(4096):  # a reply, and the end
                pass


def test_requests_that_block_all_threads_do_not_block_others(server: HttpServer):
    with contextlib.ExitStack() as stack:
        for request in [b"GET /blocks HTTP/1.1\r\n\r\n"] * 5 + [b"GET / HTTP/1.1\r\n\r\n"]:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.effective_port), 8))
            connection.sendall(request)

        assert reply_to(connection).status == 200


def test_a_header_that_arrives_byte_by_byte_does_not_get_more_time(server: HttpServer):
    with socket.create_connection(("127.0.0.1", server.effective_port), 5) as connection:
        connection.settimeout(0.02)
        deadline = time.monotonic() + 5
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                connection.sendall(b"X")
                with contextlib.suppress(socket.timeout):
                    if not connection.recv(1):
                        break
        assert time.monotonic() < deadline
