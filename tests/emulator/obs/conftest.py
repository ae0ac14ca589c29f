"""Fixtures: a session for the cloud, and buckets of the service that it accesses over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import environment

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def session(cloud: CloudClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    account = cloud.account
    login = {"access_key": account.access_key, "secret_key": account.secret_key, "project_id": account.project_id}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(cloud).items():
            patch.setenv(name, value)
        patch.setenv("MODELARTS_HOME", str(tmp_path_factory.mktemp("client")))
        opened = Session(**login)
    with opened:
        yield opened


@pytest.fixture(scope="module")
def client(session: Session) -> Any:
    """The client of `esdk-obs-python`."""
    return session.get_obs_client()


@pytest.fixture
def bucket(session: Session, iam_home: Path) -> Iterator[Path]:
    """The folder of a new bucket, which is removed over HTTP."""
    name = f"bucket-{next(_numbers)}"
    session.obs.create_bucket(name)
    yield LocalHome.of(iam_home).buckets / name
    session.obs.delete(f"obs://{name}/", recursive=True)
    session.obs.delete_bucket(name)
