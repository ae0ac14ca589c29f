"""How many examples hypothesis tries: a part of them in each run, and all before a change goes in."""

from __future__ import annotations

import os

PERCENT = int(os.environ.get("EXAMPLES", "30"))  # `.ci/run` sets it to 100


def part_of(number: int) -> int:
    return max(1, number * PERCENT // 100)
