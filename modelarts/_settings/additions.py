"""The values of `local_engines` and `local_flavors`: what the local service offers beside its own lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Optional

_MEMBERS = {"core": str, "cpu": str, "gpu_num": int, "gpu_type": str, "max_num": int}
_SHORT_NAMES = {"TF": "TensorFlow", "RAY": "Ray"}  # with which versions of these engines begin
_ENGINES_RULE = 'write a JSON object of versions by engine, such as {"PyTorch": ["PyTorch-2.1.0-python3.10"]}'
_FLAVORS_RULE = (
    "write flavor codes with commas between them, or a JSON object such as "
    '{"modelarts.p3.8xlarge": {"gpu_num": 4, "max_num": 2}}, with core, cpu, gpu_num, gpu_type or max_num'
)


def engines(value: Any) -> dict[str, list[str]]:
    """Versions by engine name, also from a list of versions, or of rows as `get_framework_list` has them.

    Raises:
        ValueError: it is neither.
    """
    found = _decoded(value)
    if isinstance(found, Mapping):
        pairs = [(name, version) for name, versions in found.items() for version in _listed(versions)]
    else:
        pairs = [_engine(item) for item in _listed(found)]
    if not all(_is_name(part) for pair in pairs for part in pair) or (found and not pairs):
        raise ValueError(_ENGINES_RULE)
    by_name: dict[str, list[str]] = {}
    for name, version in pairs:
        by_name.setdefault(name, []).append(version)
    return by_name


def flavors(value: Any) -> dict[str, dict[str, Any]]:
    """The members of flavors by their codes; those that are left out are those of this machine. Raises `ValueError`."""
    found = _decoded(value)
    pairs = found.items() if isinstance(found, Mapping) else [_flavor(item) for item in _listed(found)]
    if not all(_is_name(code) and _is_flavor(members) for code, members in pairs) or (found and not pairs):
        raise ValueError(_FLAVORS_RULE)
    return {code: {name: _MEMBERS[name](member) for name, member in members.items()} for code, members in pairs}


def _decoded(value: Any) -> Any:
    """The JSON value of a text; of another text, its parts between commas."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (RecursionError, ValueError):
        return [part.strip() for part in value.split(",")]


def _listed(value: Any) -> Iterable[Any]:
    """The items of a list; any other value is the only one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _engine(item: Any) -> tuple[Any, Any]:
    """Name and version of an engine."""
    if isinstance(item, Mapping):
        return (item.get("framework_type", item.get("engine_name")),
                item.get("framework_version", item.get("engine_version")))  # fmt: skip
    name, hyphen, _ = item.partition("-") if isinstance(item, str) else ("", "", "")
    return (_SHORT_NAMES.get(name, name) if hyphen else None), item


def _flavor(item: Any) -> tuple[Any, Any]:
    """Code and members of a flavor."""
    if not isinstance(item, Mapping):
        return item, {}
    return item.get("spec_code"), {name: member for name, member in item.items() if name != "spec_code"}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.strip() == value != ""


def _is_flavor(members: Any) -> bool:
    return isinstance(members, Mapping) and all(_is_member(name, value) for name, value in members.items())


def _is_member(name: Any, value: Any) -> bool:
    kind: Optional[type] = _MEMBERS.get(name)
    if kind is str:
        return isinstance(value, (str, int)) and not isinstance(value, bool)
    lowest = 1 if name == "max_num" else 0
    return kind is int and isinstance(value, int) and not isinstance(value, bool) and value >= lowest
