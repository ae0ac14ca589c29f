"""A fixture: S3 servers that are forks of one process, one for each process that runs tests."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.local import locks
from tests.support.left_processes import MARK

_PROGRAM = Path(__file__).with_name("moto_process.py")


@pytest.fixture(scope="session")
def s3_port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an S3 server. Each worker has one; the first starts the process that makes them."""
    if importlib.util.find_spec("moto") is None:  # importing it here would take each worker a second
        pytest.skip("there is no moto beside urllib3 2.0 where Python is older than 3.10")
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if hasattr(request.config, "workerinput") else folder
    file, lock = folder / "s3 port", folder / "s3 lock"  # of all workers
    with contextlib.ExitStack() as stack:
        with locks.locked(lock):
            if not file.exists():
                file.write_text(stack.enter_context(_s3_servers()))
                stack.callback(_withdraw, file, lock)
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", int(file.read_text()))))
            port = int(connection.recv(10))
        yield port


def make_bucket(port: int, bucket: str, objects: dict[str, bytes]) -> None:
    """A bucket with objects, by one request to the server."""
    body = json.dumps({key: content.decode("latin-1") for key, content in objects.items()})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", f"/-fill/{bucket}", body)
        assert connection.getresponse().status == 204


def _withdraw(file: Path, lock: Path) -> None:
    with locks.locked(lock):
        file.unlink()


@contextlib.contextmanager
def _s3_servers() -> Iterator[str]:
    """The process that makes S3 servers: the port at which it does."""
    command = [sys.executable, "-W", "ignore", str(_PROGRAM)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    # Without the mark by which a worker finds what its tests left: the servers of other workers run on.
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    with subprocess.Popen(command, text=True, env=environment, cwd=_PROGRAM.parent, **pipes) as process:
        yield process.stdout.readline()
        process.stdin.close()
