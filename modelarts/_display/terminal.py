"""Text on a terminal or another stream: its width in columns, of which Chinese characters take two; its encoding."""

from __future__ import annotations

import sys
from typing import TextIO
from unicodedata import combining, east_asian_width

_GAP = "..."  # not "…", which takes two columns in a Chinese locale


def width(text: str) -> int:
    """The number of columns that a text takes."""
    return sum(map(_width_of, text))


def cut(text: str, columns: int) -> str:
    """The longest beginning of a text that fits into the columns."""
    taken = 0
    for index, character in enumerate(text):
        taken += _width_of(character)
        if taken > columns:
            return text[:index]
    return text


def shortened(text: str, columns: int) -> str:
    """A text that fits into the columns; if it is too long, its middle is replaced by dots."""
    if width(text) <= columns:
        return text
    room = max(columns - len(_GAP), 0)
    end = cut(text[::-1], room - room // 2)[::-1]
    return cut(cut(text, room // 2) + _GAP + end, columns)


def write(stream: TextIO | None, text: str) -> None:
    """Write a text; characters that the encoding of the stream lacks are escaped, as in tracebacks.

    All that this package prints goes through here. A process without a console has no stream: nothing is written.
    """
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def say(text: str, err: bool = False) -> None:
    """Write a line of a command to standard output, or to standard error."""
    stream = sys.stderr if err else sys.stdout
    write(stream, text + "\n")
    if stream is not None:
        stream.flush()


def _width_of(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
