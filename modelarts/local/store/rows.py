"""From rows to values. A value that is damaged is replaced by one that says least, so that it costs its row only."""

from __future__ import annotations

import json
from typing import Any, TypeVar

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
_MOST_NODES = 1 << 16


def read(kind: type[Kind], row: dict[str, Any]) -> Kind:
    """The value of a row; its field `damage`, if the class has one, says what is damaged in it."""
    values: dict[str, Any] = {}
    damaged: list[str] = []
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(kind)  # type: ignore[arg-type]
    for field in fields:
        if field.name == "damage":
            continue
        value = row[field.name]
        if field.name == "status":
            values["status"] = status_of(value)
            is_good = values["status"] == value
        elif field.name == "body":
            values["body"], is_good = _body(value)
        else:
            types, fallback = _COLUMNS[str(field.type)]
            is_good = isinstance(value, types)
            values[field.name] = value if is_good else fallback
        if not is_good:
            damaged.append(field.name)
    if damaged and any(field.name == "damage" for field in fields):
        values["damage"] = f"its row in the store is damaged: {', '.join(damaged)} cannot be read"
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
        return {member: default for member, (_, default) in _MEMBERS.items()}, False
    wrong = [member for member in stored if not _is_good(member, stored[member])]
    defaults = {member: default for member, (_, default) in _MEMBERS.items() if member in wrong or member not in stored}
    return {**stored, **defaults}, not wrong


def _is_good(member: str, value: Any) -> bool:
    if member not in _MEMBERS:
        return True
    if member == "worker_server_num":
        return isinstance(value, int) and 1 <= value <= _MOST_NODES
    if isinstance(value, list):
        return list in _MEMBERS[member][0] and all(isinstance(item, dict) for item in value)
    return isinstance(value, _MEMBERS[member][0])
