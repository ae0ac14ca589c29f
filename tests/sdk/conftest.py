"""Fixtures: the faked cloud, a session on it, and no real pauses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import responses

from modelarts._submit import idempotent_create
from modelarts._transport import transport
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_session
from tests.support.machine import Machine


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a list that lags behind, and endpoints given in a test are forgotten after it."""
    monkeypatch.setattr(idempotent_create, "LOOKUP_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(Session, "_endpoints", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings file of the temporary home."""
    path = tmp_path / "user home" / ".modelarts" / "config.json"
    path.parent.mkdir()
    return path


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """The files and variables of a user who has none yet."""
    return Machine(monkeypatch, tmp_path)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, recorded instead of slept."""
    recorded: list[float] = []
    clock = SimpleNamespace(sleep=recorded.append, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr(transport, "time", clock)
    return recorded


@pytest.fixture
def cloud(pauses: list[float]) -> Iterator[Cloud]:
    """The cloud, whose every prepared answer must be fetched."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as faked:
        yield Cloud(faked)


@pytest.fixture
def session(cloud: Cloud) -> Iterator[Session]:
    """A session on the faked cloud."""
    with cloud_session() as opened:
        yield opened
