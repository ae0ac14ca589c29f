"""One service with the emulator, for all tests that do not change its state."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from modelarts.local import daemon
from modelarts.local.emulator.iam import accounts
from tests.emulator.cloud_client import CloudClient
from tests.support.processes import end_service


@pytest.fixture(scope="package")
def iam_home(tmp_path_factory: pytest.TempPathFactory):
    """A MODELARTS_HOME whose service was started with `--auth iam`."""
    home = tmp_path_factory.mktemp("iam") / "state"
    daemon.ensure(home, daemon.CloudOptions())
    yield home
    end_service(home)


@pytest.fixture(scope="package")
def cloud(iam_home: Path):
    """A bare HTTP client for that service, with its account."""
    address = daemon.find(iam_home).iam
    with requests.Session() as http:
        yield CloudClient(address, accounts.load(Path(address.account)), http)
