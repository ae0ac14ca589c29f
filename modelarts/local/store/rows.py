"""From rows to values. A value that is damaged is replaced by one that says least, so that it costs its row only."""

from __future__ import annotations

import functools
import json
from typing import Any, NamedTuple, TypeVar

import attrs

from modelarts._wire.v1.status import JOB_STATE, RUN_FAILED, JobStatus

Kind = TypeVar("Kind")

# The types of columns by the annotations of the fields, and what stands for a value of another type.
_COLUMNS: dict[str, tuple[tuple[type, ...], Any]] = {
    "int": ((int,), 0),
    "int | None": ((int, type(None)), None),
    "float | None": ((int, float, type(None)), None),
    "bool": ((int,), False),
    "str": ((str,), ""),
    "str | None": ((str, type(None)), None),
}
# The members of the settings of a configuration or version, in the same way.
_TEXT, _OPTIONAL_TEXT, _ID = ((str,), ""), ((str, type(None)), None), ((int, type(None)), None)
_MEMBERS: dict[str, tuple[tuple[type, ...], Any]] = {
    **dict.fromkeys(("app_url", "boot_file_url", "data_url", "train_url", "log_url"), _TEXT),
    **dict.fromkeys(("model_id", "engine_id", "spec_id"), _ID),
    **dict.fromkeys(("dataset_id", "dataset_version_id", "user_image_url", "user_command", "pool_id", "nas_type",
                     "nas_share_addr", "nas_mount_path"), _OPTIONAL_TEXT),
    "worker_server_num": ((int,), 1),
    "parameter": ((list,), []),
    "data_source": ((list, type(None)), None),
    "volumes": ((list, type(None)), None),
    "environment_variables": ((dict, type(None)), None),
}  # fmt: skip
_DEFAULTS = {member: default for member, (_, default) in _MEMBERS.items()}
_MOST_NODES = 1 << 16


class _Plan(NamedTuple):
    """How the rows of a class are read."""

    columns: tuple[tuple[str, tuple[type, ...], Any], ...]
    has_status: bool
    has_body: bool
    has_damage: bool


@functools.cache
def _plan(kind: Any) -> _Plan:
    types = {field.name: str(field.type) for field in attrs.fields(kind)}
    columns = [(name, *_COLUMNS[column]) for name, column in types.items() if name not in ("status", "body", "damage")]
    return _Plan(tuple(columns), *(name in types for name in ("status", "body", "damage")))


def read(kind: type[Kind], row: dict[str, Any]) -> Kind:
    """The value of a row; its field `damage`, if the class has one, says what is damaged in it."""
    plan = _plan(kind)  # type: ignore[arg-type]  # classes are hashable
    values: dict[str, Any] = {}
    damaged: list[str] = []
    for name, types, fallback in plan.columns:
        value = row[name]
        if isinstance(value, types):
            values[name] = value
        else:
            values[name] = fallback
            damaged.append(name)
    if plan.has_status:
        values["status"] = status_of(row["status"])
        if values["status"] != row["status"]:
            damaged.append("status")
    if plan.has_body:
        values["body"], is_good = _body(row["body"])
        if not is_good:
            damaged.append("body")
    if damaged and plan.has_damage:
        values["damage"] = f"its row in the store is damaged: {', '.join(sorted(damaged))} cannot be read"
    return kind(**values)


def status_of(value: Any) -> JobStatus:
    """The status that a column holds; a value that is none counts as a failure."""
    return JobStatus(value) if isinstance(value, int) and 0 <= value < len(JOB_STATE) else RUN_FAILED


def _body(text: Any) -> tuple[dict[str, Any], bool]:
    """The settings that a column holds, and whether they are undamaged; those of older versions have fewer members."""
    try:
        stored = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict):
        return dict(_DEFAULTS), False
    wrong = [member for member, value in stored.items() if member in _MEMBERS and not _is_good(member, value)]
    body = {**_DEFAULTS, **stored}
    body.update((member, _DEFAULTS[member]) for member in wrong)
    return body, not wrong


def _is_good(member: str, value: Any) -> bool:
    if not isinstance(value, _MEMBERS[member][0]):
        return False
    if member == "worker_server_num":
        return isinstance(value, int) and 1 <= value <= _MOST_NODES
    return not isinstance(value, list) or all(isinstance(item, dict) for item in value)
