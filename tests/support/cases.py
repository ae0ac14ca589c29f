"""Several cases in one test, where a test for each would take longer than what it tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def case(*values: Any) -> Iterator[None]:
    """A failure inside says which case it was."""
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        raise AssertionError(f"case {', '.join(map(repr, values))}: {error}") from error
