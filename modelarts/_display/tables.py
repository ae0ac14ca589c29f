"""Tables in plain text."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TextIO

from dateutil import tz

from modelarts._display.terminal import width as _width
from modelarts._display.terminal import write
from modelarts._wire.v1.status import JobStatus


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], stream: TextIO | None = None) -> None:
    """Print these columns of the rows under their names; times as local time, durations as hours:minutes:seconds."""
    cells = [list(columns), *([shown(name, row.get(name)) for name in columns] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells)]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(line, widths)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    write(stream or sys.stdout, "\n".join(lines) + "\n")


def shown(name: str, value: Any) -> str:
    """One value for people."""
    if value is None:
        return ""
    if name in ("create_time", "start_time") and isinstance(value, int):
        with suppress(OverflowError, ValueError, OSError):  # no calendar has every number
            return datetime.fromtimestamp(value / 1000, tz.tzlocal()).strftime("%Y-%m-%d %H:%M:%S")
    if name == "duration" and isinstance(value, int):
        minutes, seconds = divmod(value // 1000, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return value.name.removeprefix("JOBSTAT_") if isinstance(value, JobStatus) else str(value)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
