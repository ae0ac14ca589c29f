"""Services in folders of their own, estimators on them, and a bare HTTP client."""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from modelarts.estimator import Estimator
from modelarts.local import daemon
from modelarts.session import Session

DATA = "/bucket/data/"


@contextmanager
def fresh_home() -> Iterator[Path]:
    """A home that does not exist yet; a service that was started in it is stopped, and all of it removed."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "home")
        try:
            yield home
        finally:
            daemon.stop(home)


@contextmanager
def local_session() -> Iterator[Session]:
    """A session on a service of its own."""
    with fresh_home() as home, Session.local(home) as session:
        yield session


def estimator(session: Session, script: str) -> Estimator:
    """An estimator for a script of this text."""
    session.obs.create_bucket("bucket")
    with tempfile.TemporaryDirectory() as scratch:
        for folder, name, text in (("src", "train.py", script), ("data", "rows.csv", "1,2\n")):
            Path(scratch, folder).mkdir()
            Path(scratch, folder, name).write_text(text, encoding="utf-8")
            session.obs.upload_dir(Path(scratch, folder), "obs://bucket/")
    return Estimator(
        session,
        framework_type="PyTorch",
        framework_version="PyTorch-1.0.0-python3.6",
        code_dir="/bucket/src/",
        boot_file="train.py",
        output_path="/bucket/output/",
        train_instance_type="modelarts.vm.cpu.2u",
        train_instance_count=1,
    )


class Client:
    """A keep-alive connection and nothing else."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = headers

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of the answer, which must be a good one."""
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path} answered {response.status}: {content.decode()}")
        return content

    def close(self) -> None:
        self._connection.close()


def client_of(address: daemon.Address) -> Client:
    """A client of a local service."""
    return Client(address.url, {"X-Auth-Token": address.token, "Content-Type": "application/json"})
