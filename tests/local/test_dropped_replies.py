"""The service creates something and the reply is lost: it exists once, and the caller gets it."""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from modelarts.estimator import Estimator
from modelarts.session import Session
from modelarts.visualization import VisualizationJob
from tests.support.jobs import LIGHT_TENSORBOARD, estimator, put_code, until


class Dropping(socketserver.ThreadingTCPServer):
    """Forwards requests to a service; after a POST it reads the complete reply and then resets the connection."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = port
        self.dropped: list[bytes] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _Handler(socketserver.StreamRequestHandler):
    server: Dropping

    def handle(self) -> None:
        head = b""
        while (line := self.rfile.readline()).strip():
            head += line if not line.lower().startswith(b"connection:") else b""
        fields = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:])
        body = self.rfile.read(int(fields.get(b"content-length", 0)))
        with socket.create_connection(("127.0.0.1", self.server.port)) as service:
            service.sendall(head + b"Connection: close\r\n\r\n" + body)
            reply = b"".join(iter(lambda: service.recv(65536), b""))
        if head.startswith(b"POST"):
            self.server.dropped.append(reply)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.wfile.write(reply)


@pytest.fixture
def light_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(LIGHT_TENSORBOARD), prepend=os.pathsep)


@contextmanager
def dropping_replies(session: Session) -> Iterator[Dropping]:
    endpoint = session.client.endpoint
    with Dropping(int(endpoint.url.rpartition(":")[2])) as server:
        session.client.endpoint = endpoint._replace(url=f"http://127.0.0.1:{server.server_address[1]}", resolve=None)
        yield server
        server.shutdown()
    session.client.endpoint = endpoint


@pytest.fixture
def dropping(shared_session: Session) -> Iterator[Dropping]:
    """The service that tests share, behind a proxy that drops replies to POST."""
    with dropping_replies(shared_session) as server:
        yield server


def test_a_job_whose_reply_is_dropped_exists_once_and_is_returned(shared_session, tmp_path, dropping):
    put_code(shared_session, tmp_path, "print('trained')")

    job = estimator(shared_session).fit(inputs="/bucket/data/", job_name="digits")

    rows = Estimator.get_job_list(shared_session).jobs
    assert [(row.job_id, row.job_name) for row in rows] == [(job.job_id, "digits")]
    assert len(dropping.dropped) == 1 and b" 200 " in dropping.dropped[0]
    assert job.wait(timeout=30, show=False).status == 10


def test_a_version_whose_reply_is_dropped_exists_once_and_is_returned(shared_session, tmp_path, dropping):
    put_code(shared_session, tmp_path, "import sys; print(sys.argv)")
    first = estimator(shared_session, hyperparameters={"lr": 0.1}).fit(inputs="/bucket/data/", job_name="digits")

    second = estimator(shared_session, hyperparameters={"lr": 0.2}).create_job_version(
        first.job_id, first.version_id, inputs="/bucket/data/"
    )

    listed = Estimator(shared_session, job_id=first.job_id).get_job_version_info().versions
    assert {row.version_id for row in listed} == {first.version_id, second.version_id}
    assert (second.job_id, second.version_name) == (first.job_id, "V0002")
    assert len(dropping.dropped) == 2
    assert second.wait(timeout=30, show=False).parameter[0].value == "0.2"


def test_a_configuration_whose_reply_is_dropped_exists_once(shared_session, tmp_path, dropping):
    put_code(shared_session, tmp_path, "print('trained')")

    created = estimator(shared_session).create_job_configs("c", inputs="/bucket/data/")

    assert created.get_job_configs_info().config_name == "c"
    assert len(Estimator.get_job_configs_list(shared_session).configs) == len(dropping.dropped) == 1


def test_a_visualization_job_whose_reply_is_dropped_exists_once_and_is_returned(light_tensorboard, session):
    session.obs.create_directory("/bucket/output/")

    with dropping_replies(session) as dropping:
        created = VisualizationJob(session).create_visualization_job("/bucket/output/", job_name="curves")
        (row,) = VisualizationJob.get_visualization_job_list(session).jobs

    assert (row.job_id, row.job_name) == (created.job_id, "curves")
    assert len(dropping.dropped) == 1
    created.delete_visualization_job()
    until(lambda: not created.get_visualization_job_info().is_success)  # its TensorBoard has ended, too
