"""docs/compatibility.md agrees with the route table."""

from __future__ import annotations

import runpy
from pathlib import Path

from modelarts._wire.v1.routes import ABSENT, ROUTES
from modelarts.local.api.app import HANDLERS

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_is_up_to_date():
    written = runpy.run_path(str(DOCS / "compatibility.py"))["page"]()

    assert (DOCS / "compatibility.md").read_text(encoding="utf-8") == written, "run `python docs/compatibility.py`"


def test_a_route_has_a_handler_exactly_if_its_row_says_so():
    assert set(HANDLERS) == {route.operation for route in ROUTES if route.support != ABSENT}
