"""One service for all tests of local code and data, and fixtures that upload them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelarts.errors import ArgumentError, ArgumentProblem
from modelarts.session import Session
from tests.local.staging.files import files_in
from tests.support.jobs import estimator
from tests.support.processes import end_service


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `MODELARTS_HOME` of a service for all tests here."""
    place = tmp_path_factory.mktemp("state")
    yield place
    end_service(place)


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with Session.local(home) as opened:
        yield opened


@pytest.fixture
def sent(session: Session, home: Path) -> Any:
    """Saves a configuration, and returns the files that were uploaded as its data, or else as its code."""

    def send(code_dir: Any = "src", inputs: Any = None, boot_file: Any = "train.py") -> list[str]:
        made = estimator(session, code_dir=code_dir, boot_file=boot_file).create_job_configs(inputs=inputs)
        info = made.get_job_configs_info()
        place = home / "local" / "buckets" / info["app_url" if inputs is None else "data_url"].strip("/")
        return [name for name in files_in(place.parent) if name != ".modelarts-complete"]

    return send


@pytest.fixture
def refused(session: Session, home: Path) -> Any:
    """Tries to save a configuration that is invalid, and returns the problems."""

    def refuse(code_dir: Any = "src", inputs: Any = None, boot_file: Any = "train.py") -> list[ArgumentProblem]:
        buckets = home / "local" / "buckets"
        before = sorted(buckets.rglob("*"))
        with pytest.raises(ArgumentError) as caught:
            estimator(session, code_dir=code_dir, boot_file=boot_file).create_job_configs(inputs=inputs)
        assert sorted(buckets.rglob("*")) == before, "something was uploaded"
        return list(caught.value.faults)

    return refuse
