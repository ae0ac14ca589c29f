"""Sessions and buckets over HTTP: the client is the one of the cloud, the buckets are folders of the service."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.cloud import environment
from tests.emulator.signing import Caller

_numbers = itertools.count(1)


@pytest.fixture
def session(caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    for name, value in environment(caller).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "client"))
    account = caller.account
    login = {"access_key": account.access_key, "secret_key": account.secret_key, "project_id": account.project_id}
    with Session(**login) as opened:
        yield opened


@pytest.fixture
def client(session: Session) -> Any:
    """The client of OBS that is not ours."""
    return session.get_obs_client()


@pytest.fixture
def bucket(session: Session, iam_home: Path) -> Iterator[Path]:
    """The folder of a bucket of this test's own; it is removed over HTTP."""
    name = f"bucket-{next(_numbers)}"
    session.obs.create_bucket(name)
    yield LocalHome.of(iam_home).buckets / name
    session.obs.delete(f"obs://{name}/", recursive=True)
    session.obs.delete_bucket(name)
