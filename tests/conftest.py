"""Fixtures: a clean environment for every test, and real services in temporary homes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelarts.local import daemon
from modelarts.session import Session

_SENDING = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CLEANED = ("MODELARTS_", "LC_", "LANG", "HUAWEICLOUD_", "AWS_", "REGION_NAME", "S3_", "PROJECT_ID", *_SENDING)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test; HOME is a folder of its own."""
    for name in list(os.environ):
        if name.upper().startswith(_CLEANED):
            monkeypatch.delenv(name)
    home = tmp_path / "user home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def home(tmp_path: Path):
    """A MODELARTS_HOME; a service that was started in it is stopped at the end."""
    place = tmp_path / "state"
    yield place
    daemon.stop(place)


@pytest.fixture
def session(home: Path):
    """A session on a local service of its own, with the bucket `bucket`."""
    opened = Session.local(home)
    opened.obs.create_bucket("bucket")
    yield opened
    opened.close()


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    place = tmp_path / "local"
    place.mkdir()
    monkeypatch.chdir(place)
    return place
