"""Request bodies: JSON without ambiguities, and with texts and numbers that every part of the service can store."""

from __future__ import annotations

import json
import math
from typing import Any

from modelarts.local.api.errors import bad_value

DEPTH = 64  # levels of lists and objects; the documented bodies have six


def parse(data: bytes) -> Any:
    """The value of a JSON body; `None` for an empty body."""
    if not data:
        return None
    try:
        value = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite
        )
        _check(value, DEPTH)
    except (ValueError, RecursionError) as error:
        raise bad_value(f"the body is not valid JSON: {error}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object has two members of the same name")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a finite number")
    return number


def _check(value: Any, depth: int) -> None:
    """Raise `ValueError` for texts with unpaired surrogates, and for values that are nested too deeply."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, (dict, list)):
        if not depth:
            raise ValueError(f"it is nested more than {DEPTH} levels deep")
        for member in value:
            _check(member, depth - 1)
        if isinstance(value, dict):
            for member in value.values():
                _check(member, depth - 1)
