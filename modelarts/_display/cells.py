"""Text in the columns of a terminal, of which Chinese characters take two."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_GAP = "..."  # not the one character, which takes two columns where Chinese is set up


def width(text: str) -> int:
    """How many columns a text takes."""
    return sum(map(_width_of, text))


def cut(text: str, columns: int) -> str:
    """The beginning of a text that fits."""
    taken = 0
    for place, character in enumerate(text):
        taken += _width_of(character)
        if taken > columns:
            return text[:place]
    return text


def shortened(text: str, columns: int) -> str:
    """A text without its middle where it does not fit: the beginning and the end tell more."""
    if width(text) <= columns:
        return text
    room = max(columns - len(_GAP), 0)
    end = cut(text[::-1], room - room // 2)[::-1]
    return cut(cut(text, room // 2) + _GAP + end, columns)


def _width_of(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
