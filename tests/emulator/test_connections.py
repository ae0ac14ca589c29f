"""Over TLS, too, connections that wait keep nobody out, and bodies are refused by the header of a request."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulator.cloud_client import CloudClient, assert_api_error
from tests.emulator.obs_requests import IGNORED_WARNINGS, signed

pytestmark = IGNORED_WARNINGS
AT_ONCE = 3.0  # seconds, also on a busy machine; those that wait are closed after 10 at the earliest
HOST = "Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def trusted(cloud: CloudClient) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=cloud.address.ca_bundle)


@pytest.fixture
def connect(cloud: CloudClient, trusted: ssl.SSLContext) -> Iterator:
    """Open a connection, with TLS if something is to be sent in it, and leave it open."""
    address = ("127.0.0.1", urlsplit(cloud.address.url).port)
    with contextlib.ExitStack() as stack:

        def opened(sent: str = "", raw: bytes = b"") -> socket.socket:
            connection = stack.enter_context(socket.create_connection(address, AT_ONCE))
            connection.sendall(raw)
            if sent:
                connection = stack.enter_context(trusted.wrap_socket(connection, server_hostname="127.0.0.1"))
                connection.sendall(sent.encode())
            return connection

        yield opened


def client_hello(trusted: ssl.SSLContext) -> bytes:
    sent = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        trusted.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="127.0.0.1").do_handshake()
    return sent.read()


def test_connections_that_wait_do_not_keep_others_out(cloud: CloudClient, trusted: ssl.SSLContext, connect):
    token = cloud.token()
    path, hello = f"/v1/{cloud.account.project_id}/training-jobs", client_hello(trusted)
    kinds = [
        (1100, "", b""),
        (100, "", hello),
        (100, "", hello[:20]),
        (30, f"POST {path} HTTP/1.1\r\n{HOST}", b""),
        (30, f"POST {path} HTTP/1.1\r\n{HOST}Content-Length: 99\r\n\r\nhalf", b""),
        (30, f"POST /v3/auth/tokens HTTP/1.1\r\n{HOST}Content-Length: 99\r\n\r\nhalf", b""),
        (30, f"POST /%763/auth/tokens HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n9\r\n", b""),
        (30, f"PUT /bucket/key HTTP/1.1\r\n{HOST}Content-Length: 99\r\n\r\nhalf", b""),
        (20, f"POST {path} HTTP/1.1\r\n{HOST}X-Auth-Token: {token}\r\nContent-Length: 99\r\n\r\nhalf", b""),
    ]
    for count, sent, raw in kinds:
        for _ in range(count):
            connect(sent, raw)

        began = time.monotonic()
        with requests.Session() as another:
            client = CloudClient(cloud.address, cloud.account, another)
            assert client.send("GET", f"{cloud.v1}/job/ai-engines", headers={"X-Auth-Token": token}).status_code == 200
        assert time.monotonic() - began < AT_ONCE, (sent, raw)


WITHOUT_CREDENTIALS = [
    ("POST", "/v1/x/training-jobs", "X-Auth-Token: guess", 401),
    ("POST", "/v1/x/training-jobs", "X-Auth-Token: ", 401),
    ("PUT", "/v1/x/no-such-thing", "Authorization: SDK-HMAC-SHA256 guess", 401),
    ("PUT", "/bucket/key", "X-Auth-Token: guess", 403),
    ("PUT", "/bucket/key", "Authorization: OBS guess:guess\r\nDate: Thu, 07 Mar 2019 10:14:59 GMT", 403),
    ("POST", "/bucket/key?uploads", "Authorization: AWS4-HMAC-SHA256 guess", 400),
]


@pytest.mark.parametrize("length", ["Content-Length: 300000000", "Transfer-Encoding: chunked"])
def test_a_body_without_valid_credentials_is_refused_before_it_is_sent(connect, length: str):
    for method, path, header, status in WITHOUT_CREDENTIALS:
        reply = HTTPResponse(connect(f"{method} {path} HTTP/1.1\r\n{HOST}{header}\r\n{length}\r\n\r\n"))
        reply.begin()

        assert (reply.status, reply.headers["Connection"]) == (status, "close"), (path, header)


def test_a_client_that_waits_before_it_sends_a_body_learns_whether_it_is_read(cloud: CloudClient, connect):
    begin = f"POST /v1/{cloud.account.project_id}/training-jobs HTTP/1.1\r\n{HOST}Content-Length: 2\r\n"
    refused = connect(f"{begin}Expect: 100-continue\r\n\r\n")
    read = connect(f"{begin}X-Auth-Token: {cloud.token()}\r\nExpect: 100-Continue\r\n\r\n")

    assert refused.recv(12) == b"HTTP/1.1 401"
    assert read.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    read.sendall(b"[]")
    assert read.recv(12) == b"HTTP/1.1 400"


def test_a_body_of_an_access_key_that_does_not_exist_is_refused_before_it_is_sent(cloud: CloudClient, connect):
    request = signed(cloud, "PUT", "bucket", "key", keys=("NOBODY", "x"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "Content-Length")
    reply = HTTPResponse(connect(f"PUT /bucket/key HTTP/1.1\r\n{HOST}{lines}Content-Length: 300000000\r\n\r\n"))
    reply.begin()

    assert (reply.status, b"InvalidAccessKeyId" in reply.read()) == (403, True)


def test_a_client_that_sends_a_refused_body_reads_the_response(cloud: CloudClient):
    for headers, status, code in (
        ({}, 401, "ModelArts.0201"),
        ({"X-Auth-Token": cloud.token()}, 413, "ModelArts.0104"),
    ):
        for body in (bytes(20 << 20), iter([bytes(1 << 20)] * 20)):
            reply = cloud.send("POST", f"{cloud.v1}/training-jobs", headers=headers, data=body)
            assert_api_error(reply, status, code)
    assert cloud.send("POST", f"{cloud.address.url}/v3/auth/tokens", data=bytes(1 << 20)).status_code == 413


@pytest.mark.parametrize("cut", [1, 70, 200, -1])
def test_a_request_may_arrive_in_parts(cloud: CloudClient, connect, cut: int):
    body = json.dumps(cloud.login())
    request = f"\r\nPOST /v3/auth/tokens HTTP/1.1\r\n{HOST}content-length: {len(body)}\r\n\r\n{body}"
    connection = connect(request[:cut])
    connection.sendall(request[cut:].encode())
    for _ in range(2):  # the connection serves others afterwards
        reply = HTTPResponse(connection)
        reply.begin()
        assert (reply.status, bool(reply.read())) == (201, True)
        connection.sendall(request.encode())
