"""The text of a hyperparameter's value, by one rule for every type: docs/reference/hyperparameters.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from modelarts._submit.plain_values import NoText, NumberText, Plain, plain
from modelarts._wire.json_records import TEXT_RULE
from modelarts._wire.v1.limits import ARGUMENT_BYTES, TOO_LONG
from modelarts.errors import shortened

_JSON_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def as_text(value: Any) -> str:
    """The text of a value, the same locally and in the cloud.

    Text stays as it is; `True` and `False` become `true` and `false`; `None` becomes the empty value of a flag;
    numbers are written as Python writes them, dates in ISO 8601, members of an `Enum` as their values; lists, tuples,
    arrays and dicts become JSON.

    >>> [as_text(v) for v in ("a", 10, 1e-3, True, None, [1, 2])]
    ['a', '10', '0.001', 'true', '', '[1, 2]']

    Raises:
        NoText: no text represents the value; the message says what to pass instead.
    """
    text = _text(value)
    if "\0" in text:
        raise NoText("it contains a NUL character, which no argument of a process can have")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoText(f"{shortened(text)}: {TEXT_RULE}") from None
    return text


def _text(value: Any) -> str:
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str) else _Json().text(found)


class _Json:
    """Writes one value as JSON, no longer than an argument can be."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.path: list[str] = []  # where it is writing
        self.left = ARGUMENT_BYTES

    def text(self, value: Plain) -> str:
        try:
            self.write(value)
        except RecursionError:
            raise NoText("it cannot be written as JSON: it contains itself, or is nested too deeply") from None
        except NoText as error:
            where = f"value{''.join(self.path)} cannot be written as JSON: " if self.path else ""
            raise NoText(f"{where}{error}") from None
        return "".join(self.parts)

    def write(self, value: Plain) -> None:
        if isinstance(value, NumberText):
            if not _JSON_NUMBER.fullmatch(value):
                raise NoText(f"JSON has no number {value}: pass a text")
            self.add(value)
        elif value is None or isinstance(value, (bool, str)):
            self.add(json.dumps(value, ensure_ascii=False))
        elif isinstance(value, Mapping):
            self.add("{")
            self.members(value)
            self.add("}")
        else:
            self.add("[")
            self.items(value)
            self.add("]")

    def members(self, value: Mapping[Any, Any]) -> None:
        names: set[str] = set()
        for key, item in value.items():
            name = _member_name(key)
            if name in names:
                raise NoText(f"it has two members named {name!r}")
            self.add(f"{', ' if names else ''}{json.dumps(name, ensure_ascii=False)}: ")
            names.add(name)
            self.inside(f"[{name!r}]", item)

    def items(self, value: Iterable[Any]) -> None:
        for index, item in enumerate(value):
            if index:
                self.add(", ")
            self.inside(f"[{index}]", item)

    def inside(self, where: str, item: Any) -> None:
        self.path.append(where)
        self.write(plain(item))
        self.path.pop()

    def add(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            self.path.clear()
            raise NoText(f"as JSON it has more than {ARGUMENT_BYTES} bytes, the most of an argument: {TOO_LONG}")
        self.parts.append(text)


def _member_name(key: Any) -> str:
    found = plain(key)
    if isinstance(found, str):
        return str(found)
    if found is None or isinstance(found, bool):
        return json.dumps(found)
    raise NoText(f"the key {key!r} of a dict is no text and no number")
