"""The values of `local_engines` and `local_flavors`: what the local service offers beside its own lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_MEMBERS = {"core": str, "cpu": str, "gpu_num": int, "gpu_type": str, "max_num": int}
_ENGINES_RULE = 'write a JSON object of versions by engine, such as {"PyTorch": ["PyTorch-2.1.0-python3.10"]}'
_FLAVORS_RULE = (
    "write flavor codes with commas between them, or a JSON object such as "
    '{"modelarts.p3.8xlarge": {"gpu_num": 4, "max_num": 2}}, with core, cpu, gpu_num, gpu_type or max_num'
)


def engines(value: Any) -> dict[str, list[str]]:
    """Versions by engine name. Raises `ValueError`."""
    found = _decoded(value)
    if not isinstance(found, Mapping):
        raise ValueError(_ENGINES_RULE)
    listed = {str(name): [item] if isinstance(item, str) else item for name, item in found.items()}
    if not all(_are_names([name]) and _are_names(versions) for name, versions in listed.items()):
        raise ValueError(_ENGINES_RULE)
    return {name: list(versions) for name, versions in listed.items()}


def flavors(value: Any) -> dict[str, dict[str, Any]]:
    """The members of flavors by their codes; those that are left out are those of this machine. Raises `ValueError`."""
    found = _decoded(value)
    if isinstance(found, str):
        found = found.replace(",", " ").split()
    if isinstance(found, (list, tuple)):
        found = {code: {} for code in found} if _are_names(found) else None
    if not isinstance(found, Mapping) or not all(map(_is_flavor, found.values())) or not _are_names([*found]):
        raise ValueError(_FLAVORS_RULE)
    return {code: {name: _MEMBERS[name](member) for name, member in members.items()} for code, members in found.items()}


def _decoded(value: Any) -> Any:
    """The JSON value of a text, or the text itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (RecursionError, ValueError):
        return value


def _are_names(value: Any) -> bool:
    is_list = isinstance(value, (list, tuple))
    return is_list and all(isinstance(name, str) and name.strip() == name != "" for name in value)


def _is_flavor(members: Any) -> bool:
    return isinstance(members, Mapping) and all(
        name in _MEMBERS and isinstance(member, (str, int)) and not isinstance(member, bool)
        and (_MEMBERS[name] is str or (isinstance(member, int) and member >= (name == "max_num")))
        for name, member in members.items()
    )  # fmt: skip
