"""Fixtures: a clean environment for every test, and real services in temporary homes."""

from __future__ import annotations

import gc
import itertools
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.local import service_start
from modelarts.session import Session
from tests.support import left_processes, scratch
from tests.support.jobs import clear
from tests.support.processes import end_service
from tests.support.s3_server import s3_port  # noqa: F401
from tests.support.service_forks import ServiceForks

SPAWN = service_start.spawn
_HERE = Path(__file__).parent
_FORKS = ServiceForks()
_NUMBERS = itertools.count()
_FOLDER = pytest.StashKey[str]()
_SENDING = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CLEANED = ("MODELARTS_", "LC_", "LANG", "HUAWEICLOUD_", "AWS_", "REGION_NAME", "S3_", "PROJECT_ID", *_SENDING)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    scratch.configure(config)
    left_processes.pytest_configure(config)
    for name in list(os.environ):  # tests do not see the settings of the machine
        if name.upper().startswith(_CLEANED):
            del os.environ[name]
    service_start.spawn = _FORKS.spawn  # services that tests start are forked, which saves their imports


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish() -> Iterator[None]:
    _FORKS.close()
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole programs, which take longest, so that no worker runs one when the others have ended."""
    items.sort(key=lambda item: item.path.parent != _HERE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Each test has a folder and a HOME of its own. A hook, since fixtures would take half a millisecond."""
    name = re.sub(r"\W", "_", item.name)[:30]
    folder = f"{item.config._tmp_path_factory.getbasetemp()}/{name}{next(_NUMBERS)}"
    os.environ["HOME"] = home = f"{folder}/user home"
    os.makedirs(home)  # noqa: PTH103
    item.stash[_FOLDER] = folder
    return (yield)


@pytest.fixture
def new_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services start with a new interpreter, which reads PYTHONPATH and inherits the limits of this process."""
    monkeypatch.setattr(service_start, "spawn", SPAWN)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services that start after this give a job one second to end."""
    monkeypatch.setenv("MODELARTS_LOCAL_GRACE", "1")


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own."""
    return Path(request.node.stash[_FOLDER])


@pytest.fixture
def home(tmp_path: Path):
    """A MODELARTS_HOME; its service, jobs and TensorBoards end with the test."""
    place = tmp_path / "state"
    yield place
    end_service(place)


@pytest.fixture
def session(home: Path):
    """A session on a local service of its own, with the bucket `bucket`."""
    opened = Session.local(home)
    opened.obs.create_bucket("bucket")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The MODELARTS_HOME of `shared_session`."""
    place = tmp_path_factory.mktemp("shared") / "state"
    yield place
    end_service(place)


@pytest.fixture(scope="session")
def _shared_service(shared_home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(shared_home.parent))
        Session.local(shared_home).close()


@pytest.fixture
def shared_session(_shared_service: None, shared_home: Path) -> Iterator[Session]:
    """A session on the service that tests share: it has an empty bucket, `bucket`, and nothing else.

    For tests that neither set up nor end their service, and expect no certain ids. It saves 80 ms of CPU.
    """
    with Session.local(shared_home) as opened:
        opened.obs.create_bucket("bucket")
        yield opened
        clear(opened, shared_home)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    place = tmp_path / "local"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def pytest_sessionstart() -> None:
    """Tests send SIGINT to processes; those would ignore it, as this one does in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector: it takes a third of the time, and finds nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)  # few tests create that many objects
