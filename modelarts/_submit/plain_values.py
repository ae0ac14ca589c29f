"""What values of hyperparameters are in terms of JSON, whatever library they come from.

No library is imported here: values of numpy, pandas or torch are recognized by what they can do.
"""

from __future__ import annotations

import datetime
import math
import os
import sys
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, Set, Sized, ValuesView
from enum import Enum
from numbers import Number
from typing import Any, Union

from modelarts._wire.v1.limits import ARGUMENT_BYTES, TOO_LONG

_MISSING = "it is a missing value: pass None for an empty value, or leave the hyperparameter out"
_BOOLEANS, _NUMBERS, _DATES, _DURATIONS, _RECORDS = "b", "iufc", "M", "m", "V"  # kinds of numpy's dtypes


class NoText(ValueError):
    """A value that has no text of its own; the message says why, and what to pass instead."""


class NumberText(str):
    """A number as it is written, which JSON takes without quotes."""

    __slots__ = ()


Plain = Union[None, bool, str, Mapping[Any, Any], Iterable[Any]]


def plain(value: Any) -> Plain:
    """The value as `None`, a boolean, a text, a `NumberText`, a mapping, or the elements of a list.

    Raises:
        NoText: it is none of these.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str.__str__(value)  # without what a subclass makes of it
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise NoText(f"{_type(value)} is no text: pass value.decode(), or value.hex() for its digits")
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, Mapping):
        return value
    if _is_array(value):  # before numbers, which scalars of numpy are, too
        return _elements(value)
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return _date(value)
    return value if isinstance(value, Sequence) else _own_text(value)


def _type(value: Any) -> str:
    """The type of a value for messages, such as `numpy.ndarray`."""
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _number(value: Any) -> NumberText:
    for cls in (int, float):  # what inherits from them is written like them: `numpy.float64`
        if isinstance(value, cls):
            try:
                return NumberText(cls.__repr__(value))
            except ValueError as error:  # Python refuses to write integers of more than 4300 digits
                raise NoText(f"the number cannot be written: {error}") from None
    return NumberText(value)  # with the digits of its own precision: `numpy.float32(0.1)` is 0.1


def _date(value: Any) -> str:
    if value != value:
        raise NoText(_MISSING)
    if isinstance(value, datetime.timedelta):
        raise NoText(f"{_type(value)} has no unit as a text: pass value.total_seconds()")
    return str(value.isoformat())


# --- arrays, tensors, series


def _is_array(value: Any) -> bool:
    return hasattr(type(value), "tolist") or (hasattr(type(value), "__array__") and not hasattr(value, "columns"))


def _elements(value: Any) -> Plain:
    """The elements of an array, or the only one of an array without dimensions."""
    if hasattr(value, "mask") and hasattr(value, "filled"):
        raise NoText(f"{_type(value)} may lack elements: pass value.filled(…)")
    count = math.prod(getattr(value, "shape", None) or (1,))
    if count > ARGUMENT_BYTES // 2:  # checked before they are copied
        raise NoText(f"{_type(value)} has {count} elements, too many for an argument: {TOO_LONG}")
    array = _as_numpy(value)
    if array is not None:
        return array if array.ndim else _numpy_scalar(array)
    try:
        found = value.tolist()
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise NoText(f"{_type(value)} cannot be written as a list: {error}") from None
    return found if isinstance(found, list) else plain(found)


def _as_numpy(value: Any) -> Any:
    """The same as an array of numpy, whose elements are written in their own precision; `None` where it cannot be."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(value, "__array__"):
        return None
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(value)  # a matrix would never get to its elements
    try:
        for step in ("detach", "cpu"):  # tensors that have gradients, or are on a device
            value = getattr(value, step)() if hasattr(value, step) else value
        array = numpy.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in _BOOLEANS + _NUMBERS else None


def _numpy_scalar(array: Any) -> Plain:
    value, kind = array[()], array.dtype.kind
    if kind == _BOOLEANS:
        return bool(value)
    if kind in _NUMBERS:
        return _number(value)
    if kind in _DATES + _DURATIONS:
        if value != value:
            raise NoText(_MISSING)
        if kind == _DURATIONS:
            raise NoText(f"{_type(value)} has no unit as a text: pass a number of seconds")
        return str(value)
    if kind == _RECORDS:
        raise NoText(f"{_type(value)} is a record: pass a dict or a list")
    return plain(value)


# --- everything else


def _own_text(value: Any) -> str:
    """The text of a value whose class defines one. Raises `NoText` for all others; their `repr` is none."""
    if instead := _instead(value):
        raise NoText(f"{_type(value)} has no text of its own: pass {instead}")
    is_container = isinstance(value, (Iterable, Sized)) or hasattr(value, "__getitem__")
    cls: Any = type(value)
    text = "" if is_container or cls.__str__ is object.__str__ else str(value)
    if not text or repr(value).startswith(text):  # what programmers see
        fields = hasattr(value, "__dataclass_fields__") and "dataclasses.asdict(value)"
        instead = fields or "a text, a number, True, False, None, or a list or dict of these"
        raise NoText(f"{_type(value)} has no text of its own: pass {instead}")
    return text


def _instead(value: Any) -> str:
    """What to pass in place of a value that is often passed by mistake; an empty text for others."""
    if hasattr(value, "read"):
        return "the path of the file"
    if isinstance(value, (KeysView, ItemsView, ValuesView, Iterator)):
        return "list(value)"
    if isinstance(value, Set):
        return "sorted(value), since its order changes"
    if isinstance(value, type) or callable(value):
        return "its name"
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return 'value.to_dict("list")'
    if hasattr(value, "model_dump"):
        return "value.model_dump()"
    return "vars(value)" if type(value).__name__ in ("Namespace", "SimpleNamespace") else ""
