"""Hyperparameters: the documented list of label/value strings, or a dict; and the names that engines use themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_PASSED = ("data_url", "train_url")
_PASSED_BY = {
    "pytorch": ("init_method",), "tensorflow": ("num_gpus",), "mxnet": ("num_gpus",), "caffe": ("num_gpus",),
}  # fmt: skip
_PASSED_TO_SEVERAL = {
    "pytorch": ("rank", "world_size"), "tensorflow": ("job_name", "task_index", "ps_hosts", "worker_hosts"),
}  # fmt: skip


def passed_by_engine(engine: str, nodes: int) -> tuple[str, ...]:
    """The names of the arguments that an engine passes to a script before the hyperparameters.

    >>> passed_by_engine("PyTorch", 1)
    ('data_url', 'train_url', 'init_method')
    """
    name = engine.lower()
    several = _PASSED_TO_SEVERAL.get(name, ()) if nodes > 1 else ()
    return (*_PASSED, *_PASSED_BY.get(name, ()), *several)


def as_text(value: Any) -> str:
    """The text of a JSON value: the samples of the documents print some values as numbers (PARAMVAL).

    >>> [as_text(v) for v in ("a", 10, 1e-3, True, None, [1, 2])]
    ['a', '10', '0.001', 'true', '', '[1, 2]']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


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
