"""How long a call takes while many clients wait: with idle connections, half-sent requests, half-done handshakes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from benchmarks.support import fresh_home
from benchmarks.table import Row
from modelarts.local import daemon

ROUNDS = 5
CALLS = 10  # after each kind of waiting clients, each on a connection of its own
IDLE, HALF = 2000, 200
HALF_REQUEST = b"POST /v1/local/training-jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def measure() -> Iterator[Row]:
    with fresh_home() as home:
        daemon.ensure(home, daemon.CloudOptions())
        address = daemon.find(home)
        if address is None or address.iam is None:
            raise RuntimeError("the service does not run")
        trusted = ssl.create_default_context(cafile=address.iam.ca_bundle)
        waiting = {"HTTP": [(IDLE, b""), (HALF, HALF_REQUEST)], "HTTPS": [(IDLE, b""), (HALF, _client_hello(trusted))]}
        for name, url in (("HTTP", address.url), ("HTTPS", address.iam.url)):
            samples = [_slowest_call(url, address.iam.ca_bundle, waiting[name]) for _ in range(ROUNDS)]
            yield Row(name=f"slowest call, {IDLE + HALF} clients wait ({name})", unit="ms", samples=samples, aim=500)


def _slowest_call(url: str, ca_bundle: str, waiting: list[tuple[int, bytes]]) -> float:
    """Milliseconds of the slowest of some calls while clients wait."""
    taken = []
    with contextlib.ExitStack() as stack:
        for count, sent in waiting:
            for _ in range(count):
                stack.enter_context(socket.create_connection(("127.0.0.1", urlsplit(url).port or 0))).sendall(sent)
            for _ in range(CALLS):
                began = time.perf_counter()
                if requests.get(f"{url}/v1/x", verify=ca_bundle, timeout=60).status_code != 401:
                    raise RuntimeError("the service does not answer as it should")
                taken.append((time.perf_counter() - began) * 1000)
    return max(taken)


def _client_hello(trusted: ssl.SSLContext) -> bytes:
    """The beginning of a TLS handshake."""
    sent = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        trusted.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="127.0.0.1").do_handshake()
    return sent.read()
