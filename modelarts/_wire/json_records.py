"""JSON objects of replies: dicts whose members are also attributes, with the documented types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from modelarts._wire.v1.status import JobStatus

# Members that are documented as Integer, Long, Short or Byte, although samples also print them quoted.
INTEGERS = frozenset(
    (
        "job_id", "version_id", "pre_version_id", "model_id", "spec_id", "engine_id", "engine_type", "job_type",
        "create_time", "start_time", "duration", "remaining_duration", "interval",
        "gpu_num", "worker_server_num", "max_num", "unit_num", "interface_type", "model_usage", "model_size",
        "version_count", "job_total_count", "job_count_limit", "quotas", "config_total_count", "model_total_count",
        "spec_total_count", "log_byte_count", "end_byte", "lines",
    )
)  # fmt: skip
# Members that are documented as String, although samples also print them as numbers.
TEXTS = frozenset(("core", "cpu", "start_line", "end_line"))
TEXT_RULE = "a text that UTF-8 can encode: without unpaired surrogates, as in file names that are no UTF-8"
DEEPEST = 100  # levels of a reply; documented ones have fewer than ten
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_COERCED = INTEGERS | {"status"}


class Record(dict):  # type: ignore[type-arg]
    """A JSON object of a reply: `record["job_id"]` and `record.job_id` are the same."""

    if not TYPE_CHECKING:  # type checkers know the documented members, and report misspelled ones

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                known = ", ".join(map(str, self)) or "none"
                raise AttributeError(f"no member {name!r} in this reply; members: {known}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self if isinstance(key, str))]


def as_integer(value: Any) -> Any:
    """The integer of a quoted number; any other value is returned as it is."""
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def _typed(members: dict[str, Any]) -> Record:
    record = Record(members)
    for name in _COERCED.intersection(members):
        value = as_integer(members[name])
        if name == "status" and isinstance(value, int) and not isinstance(value, bool):
            value = JobStatus(value)
        record[name] = value
    for name in TEXTS.intersection(members):
        if isinstance(members[name], int):
            record[name] = str(members[name])
    return record


def unencodable_text(members: Any, name: str = "") -> tuple[str, str] | None:
    """The first text that cannot be sent, since it has unpaired surrogates, behind the name of its member."""
    if isinstance(members, str):
        return None if members.isascii() or _is_encodable(members) else (name, members)
    if isinstance(members, Mapping):
        items: Iterable[tuple[str, Any]] = members.items()
        inner = next(filter(None, (unencodable_text(key, name or key) for key in members)), None)
        if inner is not None:
            return inner
    else:
        items = ((name, item) for item in members) if isinstance(members, (list, tuple)) else ()
    return next(filter(None, (unencodable_text(value, key) for key, value in items)), None)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse(text: str | bytes) -> Any:
    """Decode a reply; each object becomes a `Record` with the documented types. Raises `ValueError`."""
    try:
        value = json.loads(text, object_hook=_typed)
        is_too_deep = len(text) > 2 * DEEPEST and _is_deeper(value, DEEPEST)
    except RecursionError:
        is_too_deep = True
    if is_too_deep:  # what calls itself for each level, such as `repr`, would fail
        raise ValueError(f"it has more than {DEEPEST} levels")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are within each other in more than so many levels."""
    found = [value] if isinstance(value, (dict, list)) else []
    while found and levels > 0:
        levels -= 1
        inner = (item.values() if isinstance(item, dict) else item for item in found)
        found = [item for items in inner for item in items if isinstance(item, (dict, list))]
    return bool(found)
