"""Fixtures: a proxy in front of an S3 server that causes faults, and buckets on it."""

from __future__ import annotations

import gc
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy
from large import PART, SIZE
from programs import Programs

from modelarts._auth.signing import AkSkAuth
from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._transport import transport
from modelarts._transport.options import TransportOptions
from tests.support.files import put

with warnings.catch_warnings():  # some of its patterns are not raw text: a warning when they are compiled, once
    warnings.simplefilter("ignore")
    import obs.client

HERE = f"{Path(__file__).parent}/"
ACCESS_KEY, SECRET_KEY, TOKEN = "AKEXAMPLE", "the secret key", "the security token"

_numbers = itertools.count(1)

# Warnings of the package, each as narrow as possible.
_WARNINGS = (
    "ignore:datetime.datetime.utcnow:DeprecationWarning:obs",  # its dates, from Python 3.12
    "ignore:unclosed <s(ocket.|sl.SSL)socket:ResourceWarning",  # a connection that broke while it sent
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marker = pytest.mark.filterwarnings(*_WARNINGS)
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(marker)


@pytest.fixture(autouse=True, scope="module")
def broken_connections() -> Iterator[None]:
    """Connections that the package leaves open are collected here, under the filter above, not in another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def proxy(s3_port: int) -> Iterator[FaultProxy]:
    """The proxy in front of the server."""
    running = FaultProxy(s3_port)
    yield running
    running.close()


@pytest.fixture(scope="session")
def programs() -> Iterator[Programs]:
    """Starts programs that use buckets."""
    shared = Programs()
    yield shared
    shared.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are repeated at once."""
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.001)


@pytest.fixture
def auth() -> AkSkAuth:
    return AkSkAuth(ACCESS_KEY, SECRET_KEY, "project", TOKEN)


@pytest.fixture
def obs(proxy: FaultProxy, auth: AkSkAuth, tmp_path: Path) -> Iterator[HuaweiBuckets]:
    """Buckets of the cloud, with small parts and short timeouts."""
    buckets = HuaweiBuckets(proxy.url, auth, tmp_path / "state", TransportOptions(read_timeout=2), "cn-north-4", PART)
    yield buckets
    buckets.close()


@pytest.fixture
def bucket(obs: HuaweiBuckets, proxy: FaultProxy) -> str:
    """The name of a bucket of this test's own; creating it is not among the recorded requests."""
    name = f"bucket-{next(_numbers)}"
    obs.create_bucket(name)
    proxy.seen.clear()
    return name


@pytest.fixture
def small(local: Path) -> Path:
    """A file that is uploaded in one request."""
    return put(local / "small.txt", "small")


@pytest.fixture
def big(local: Path) -> Path:
    """A file of several parts, each with different content."""
    file = local / "big.bin"
    file.write_bytes(os.urandom(SIZE))
    return file


@pytest.fixture(params=["cloud", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Buckets, str]]:
    """Buckets, and the address of one."""
    if request.param == "cloud":
        yield request.getfixturevalue("obs"), f"obs://{request.getfixturevalue('bucket')}"
    else:
        buckets = LocalBuckets(tmp_path / "buckets")
        buckets.create_bucket("bucket")
        yield buckets, "obs://bucket"
