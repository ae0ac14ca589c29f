"""The `metric.json` that a version writes to its output folder (`model_metric_list`).

It comes from a user's script, so that it may be anything: it is read only if it is a regular file of limited size in
the output folder, and kept only if it has the documented form.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Optional

from modelarts.local import files
from modelarts.local.places.results import METRIC_FILES, Identity, identity, metric_files
from modelarts.local.places.worker_log import explain

METRIC_BYTES = 2**20
_DEPTH = 50  # of nested objects and lists; readers have limits of their own
_DIGITS = 400  # of the longest number; no float has more
_FORM = 'the form is {"total_metric": {"total_metric_values": {"accuracy": 0.9}}}'


def keep(spec: Mapping[str, Any], before: Mapping[str, Optional[Identity]]) -> Iterator[str]:
    """Store the metrics that this version wrote for the service; yields why a file is not used.

    Args:
        spec: `output`, the folder; `url`, how it is called in messages; `metrics`, where to store them.
        before: the identity of each file when the version was started.
    """
    for name, path in zip(METRIC_FILES, metric_files(spec["output"])):
        if identity(path) in (None, before[path]):
            continue
        try:
            found = _checked(_load(_read(path, spec["output"])))
        except (OSError, ValueError) as error:
            yield f"{spec['url'].rstrip('/')}/{name} is not used for model_metric_list: {explain(error)}"
        else:
            files.write(spec["metrics"], json.dumps(found).encode())
            return


def _read(path: str, folder: str) -> bytes:
    """The content of a regular file. Nothing here waits, as opening a pipe would."""
    real = os.path.realpath(path)
    if not real.startswith(os.path.join(os.path.realpath(folder), "")):
        raise ValueError("it is a link to a file outside the output folder")
    try:
        opened = files.open_regular(real)
    except files.NotRegular:
        raise ValueError("it is not a regular file") from None
    with opened as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(METRIC_BYTES + 1) if size <= METRIC_BYTES else b""
        if max(size, len(content)) > METRIC_BYTES:
            raise ValueError(f"it has {size} bytes, and at most {METRIC_BYTES} are read")
    return content


def _load(content: bytes) -> Any:
    try:
        return json.loads(content, parse_float=_finite, parse_int=_whole, parse_constant=_finite)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None


def _finite(text: str) -> Optional[float]:
    """A number; null for NaN and infinity, which JSON does not have."""
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> Optional[int]:
    return int(text) if len(text) <= _DIGITS else None


def _checked(metrics: Any) -> dict[str, Any]:
    """The metrics, if they have the documented form: the members that clients read have their types."""
    level = [metrics]
    for _ in range(_DEPTH):
        level = [child for value in level for child in _children(value)]
    if level:
        raise ValueError("it is nested too deeply")
    if not isinstance(metrics, dict) or not {"total_metric", "metric"} & set(metrics):
        raise ValueError(f"it has neither total_metric nor metric; {_FORM}")
    total = metrics.get("total_metric", {})
    if not isinstance(total, dict) or not isinstance(total.get("total_metric_values", {}), dict):
        raise ValueError(f"total_metric and total_metric_values must be objects; {_FORM}")
    classes = metrics.get("metric", [])
    if not isinstance(classes, list) or not all(isinstance(entry, dict) for entry in classes):
        raise ValueError(f"metric must be a list with an object for each class; {_FORM}")
    return metrics


def _children(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
