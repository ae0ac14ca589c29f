"""The meaning of the error codes of the service: the error class of each, a sentence, and what to do next.

The texts are in `codes.json`, which is read at the first error: by code, then by HTTP status, as some codes have
several meanings. `any` means every status. Without `class`, the status decides the class, and the next step counts
only for a status without a class of its own. `clock` marks codes that a wrong clock can cause.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from modelarts import errors
from modelarts.errors import Advice, ApiError

GATEWAY = ("APIGW.", "APIG.")
NOT_IMPLEMENTED = 501
CLOCK_MARGIN = 60.0  # seconds; smaller differences of clocks are not mentioned

_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: errors.AuthError,
    403: errors.AuthError,
    404: errors.NotFound,
    409: errors.Conflict,
    429: errors.Throttled,
    NOT_IMPLEMENTED: ApiError,
    505: ApiError,
}


def explained(code: str, status: int, clock_ahead: float = 0.0) -> tuple[type[ApiError], Advice]:
    """The class of an error, by its code or else by its HTTP status, and what this package adds to its message.

    Args:
        clock_ahead: seconds that this machine's clock is ahead of the service's.
    """
    by_status = _BY_STATUS.get(status, errors.Unavailable if status >= 500 else ApiError)
    if status == NOT_IMPLEMENTED:
        return by_status, Advice()  # the call itself is not available, whatever its code
    row = _row(code, status)
    kind: type[ApiError] = getattr(errors, row["class"]) if "class" in row else by_status
    next_step = row.get("next_step", {}) if "class" in row or kind is ApiError else {}
    by_clock = row.get("clock", issubclass(kind, errors.AuthError) and "class" not in row)
    off = clock_ahead if by_clock and abs(clock_ahead) > CLOCK_MARGIN else 0.0
    return kind, Advice(row.get("meaning", {}), next_step, off)


def _row(code: str, status: int) -> dict[str, Any]:
    """What is known about a code with a status; empty if it is unknown."""
    table = documented()
    if code.startswith(GATEWAY) and status < 500:  # with higher ones, ModelArts may have received the request
        return table["gateway"]  # type: ignore[no-any-return]
    rows: dict[str, dict[str, Any]] = table["codes"].get(code, {})
    found = rows.get(str(status)) or rows.get("any")
    return found or _common(list(rows.values()))


def _common(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One row for a code with an unknown status; if it has several meanings, all of them."""
    if len(rows) < 2:
        return rows[0] if rows else {}
    meanings = [row["meaning"] for row in rows]
    common: dict[str, Any] = {"meaning": {name: " / ".join(text[name] for text in meanings) for name in meanings[0]}}
    classes = {row.get("class") for row in rows}
    if len(classes) == 1 and None not in classes:
        common.update({"class": rows[0]["class"], "clock": any(row.get("clock") for row in rows)})
    return common


@lru_cache(maxsize=1)
def documented() -> dict[str, Any]:
    """The content of `codes.json`."""
    from pathlib import Path

    table: dict[str, Any] = json.loads(Path(__file__).with_name("codes.json").read_text(encoding="utf-8"))
    return table
