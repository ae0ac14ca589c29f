"""Paths in JSON values: the keys and indexes of a member."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Place = tuple[Any, ...]


def places_in(value: Any, at: Place = ()) -> Iterator[Place]:
    """The paths of all members of a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield (*at, key)
        yield from places_in(member, (*at, key))


def at(value: Any, place: Place) -> Any:
    """The member at a path."""
    for key in place:
        value = value[key]
    return value


def replaced(value: Any, place: Place, new: Any) -> Any:
    """A copy of a value with another member at a path."""
    if not place:
        return new
    changed = copy.copy(value)
    changed[place[0]] = replaced(value[place[0]], place[1:], new)
    return changed
