"""The cost of signatures, and the number of requests for a configuration."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE
from typing import Any, Callable

import requests

from benchmarks.measure import alternate
from benchmarks.table import Row
from modelarts._auth.signing import AkSkAuth
from modelarts.estimator import Estimator
from modelarts.session import Session

ROUNDS = 30
CALLS = 200  # in one sample
BODY = b"x" * 1024
HOST, PATH, DATE = "modelarts.cn-north-4.myhuaweicloud.com", "/v1/project/training-jobs", "20260101T000000Z"
HEADERS = {"Content-Type": "application/json", "Host": HOST, "X-Sdk-Date": DATE, "X-Project-Id": "p"}


def measure() -> Iterator[Row]:
    ours, theirs = AkSkAuth("AK", "SK"), _general_signer()
    samples, base = alternate(
        ROUNDS,
        lambda: _cpu(lambda: ours.authorization("POST", PATH, "", dict(HEADERS), BODY), CALLS),
        lambda: _cpu(theirs, CALLS),
    )
    yield Row(name="signing 1 KB", unit="us", samples=samples, yardstick="general SDK's signer", base=base)
    # A server in this process would take turns with its client, and that is neither's cost.
    with subprocess.Popen([sys.executable, "-m", __name__], text=True, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        yield _signed_call(process.stdout.readline().strip())
        process.stdin.close()
    with _Server() as server:
        yield from _requests(server)


def _signed_call(address: str) -> Row:
    Session.set_endpoint("iam", "obs", address, region_name="bench")
    with Session("AK", "SK", "p", "bench") as session, requests.Session() as plain:
        read = Estimator(session, job_id=1, version_id=2).get_job_info
        _, _, _, url = read().sent
        samples, base = alternate(ROUNDS, lambda: _cpu(read, 50), lambda: _cpu(lambda: plain.get(url).json(), 50))
        return Row(name="CPU of a signed call", unit="us", samples=samples, aim=0.9, yardstick="requests get + json",
                   base=base)  # fmt: skip


def _requests(server: _Server) -> Iterator[Row]:
    Session.set_endpoint("iam", "obs", server.url, region_name="bench")
    with Session("AK", "SK", "p", "bench") as session:
        estimator = Estimator(session, user_image_url="image", user_command="run", train_instance_type="flavor",
                              train_instance_count=1, output_path="/bucket/output/")  # fmt: skip
        for name in ("cold", "warm"):
            server.calls.clear()
            estimator.create_job_configs(name, inputs="/bucket/data/")
            count = [float(len(server.calls))]
            aim = {"cold": 2.0, "warm": 1.0}[name]
            yield Row(name=f"requests of a {name} create_job_configs", unit="requests", samples=count, aim=aim)


def _general_signer() -> Callable[[], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer
    signer = Signer(BasicCredentials("AK", "SK"))

    def sign() -> Any:
        request = SdkRequest("POST", "https", HOST, PATH, query_params=[], header_params=dict(HEADERS), body=BODY)
        return signer.sign(request)

    return sign


def _cpu(call: Callable[[], Any], count: int) -> float:
    """CPU microseconds of this thread for one call."""
    began = time.thread_time()
    for _ in range(count):
        call()
    return (time.thread_time() - began) / count * 1e6


class _Server(ThreadingHTTPServer):
    """Stands in for the cloud: replies at once to everything."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> _Server:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: else each call waits 40 ms, and its caches grow cold
    server: _Server
    answer = json.dumps({
        "is_success": True, "job_id": 1, "version_id": 2, "status": 10, "parameter": [],
        "specs": [{"spec_id": 2, "spec_code": "flavor", "max_num": 2}],
    }).encode()  # fmt: skip

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":  # serve until the standard input ends
    with _Server() as standing:
        print(standing.url, flush=True)
        sys.stdin.read()
