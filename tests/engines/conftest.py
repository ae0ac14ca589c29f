"""A service whose engines have interpreters of their own: `make test-engines` installs them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.session import Session
from tests.support.files import put
from tests.support.processes import end_service

ENGINES = Path(os.environ.get("ENGINES") or Path(__file__).parents[2] / ".venv" / "engines").absolute()
PYTHON = {"PyTorch": "torch", "Ascend-Powered-Engine": "mindspore"}


@pytest.fixture(scope="session")
def engine_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session on a service for all tests."""
    interpreters = {engine: str(ENGINES / name / "bin" / "python") for engine, name in PYTHON.items()}
    missing = [path for path in interpreters.values() if not Path(path).exists()]
    assert not missing, f"{missing} are not installed: run `make test-engines`"
    home = tmp_path_factory.mktemp("engines") / "state"
    put(home / "config.json", json.dumps({"local_python": interpreters, "local_keep": "failed"}))
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        yield session
    end_service(home)
