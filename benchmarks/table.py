"""What a measurement says, and how the table shows it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Row:
    """One measurement. With a yardstick the aim, if any, is for the ratio of the medians, else for the value itself."""

    name: str
    unit: str
    samples: Sequence[float]
    aim: float | None = None
    yardstick: str = ""
    base: Sequence[float] = ()
    at_least: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def base_value(self) -> float | None:
        return median(self.base) if self.base else None

    @property
    def ratio(self) -> float | None:
        return None if self.base_value is None else self.value / self.base_value

    @property
    def met(self) -> bool | None:
        if self.aim is None:
            return None
        figure = self.value if self.ratio is None else self.ratio
        return figure >= self.aim if self.at_least else figure <= self.aim

    def as_json(self) -> dict[str, Any]:
        """All of it, every sample included."""
        derived = {"value": self.value, "base_value": self.base_value, "ratio": self.ratio, "met": self.met}
        return {**attrs.asdict(self), **derived}


def printed(rows: Sequence[Row]) -> str:
    """A table in plain text, its notes below."""
    lines: list[tuple[str, ...]] = [("measured", "samples", "median", "yardstick", "its median", "ratio", "aim", "met")]
    lines += [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, tuple("-" * width for width in widths))
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([*table, *(f"{row.name}: {row.note}" for row in rows if row.note)])


def _cells(row: Row) -> tuple[str, ...]:
    aim, met = "-", "-"
    if row.aim is not None:
        aim = f"{'>=' if row.at_least else '<='} {row.aim:g}{'x' if row.base else ' ' + row.unit}"
        met = "yes" if row.met else "NO"
    base = "-" if row.base_value is None else f"{row.base_value:.4g} {row.unit}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}x"
    value, count = f"{row.value:.4g} {row.unit}", str(len(row.samples))
    return row.name, count, value, row.yardstick or "-", base, ratio, aim, met
