"""Hyperparameters: the documented list of label/value strings, or a dict."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any


def as_text(value: Any) -> str:
    """Convert a value to text by one rule, the same locally and in the cloud.

    Text stays as it is; `True` and `False` become `true` and `false`; `None` becomes the empty value of a
    flag; paths become text; numbers are written as Python writes them; lists, tuples and dicts as JSON.

    >>> [as_text(v) for v in ("a", 10, 1e-3, True, None, [1, 2])]
    ['a', '10', '0.001', 'true', '', '[1, 2]']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def pairs(hyperparameters: Mapping[Any, Any] | Iterable[Any] | None) -> list[tuple[Any, Any]]:
    """Convert both forms to (name, value) pairs in the given order. Raises `ValueError` for other values."""
    if hyperparameters is None:
        return []
    if isinstance(hyperparameters, Mapping):
        return list(hyperparameters.items())
    if isinstance(hyperparameters, (str, bytes)) or not isinstance(hyperparameters, Iterable):
        raise ValueError('neither a dict nor a list of {"label": …, "value": …}')
    return [_pair(item) for item in hyperparameters]


def _pair(item: Any) -> tuple[Any, Any]:
    if isinstance(item, Mapping):
        name = item.get("label", item.get("key"))  # some documented samples print "key" (PARAMKEY)
        if name is not None:
            return name, item.get("value")
    raise ValueError(f'{item!r} is not {{"label": …, "value": …}}')
