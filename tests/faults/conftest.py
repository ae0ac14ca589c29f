"""Fixtures: short time-outs and hardly a pause."""

from __future__ import annotations

import pytest

from modelarts._transport import transport
from modelarts.session import Session
from tests.faults.rows import PATIENCE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats come at once, and the endpoints of a test are forgotten after it."""
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.01)
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", str(PATIENCE))
