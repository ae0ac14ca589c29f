"""Reading logs by line and by byte: any size of file and line in constant memory."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import attrs

PAGE = 128 * 1024  # bytes that one answer holds at most, whatever the lines' length


@attrs.frozen
class Piece:
    """Part of a log: its text, and the bytes it stands at. A line's position is the byte behind it."""

    text: str
    start: int
    end: int
    first: int  # position of the first line

    @property
    def lines(self) -> int:
        return self.text.count("\n") + (not self.text.endswith("\n") if self.text else 0)


def size(path: Path) -> int:
    """Bytes in a log so far; 0 for one that is not there yet."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def onward(path: Path, position: int, lines: int) -> Piece:
    """At most so many lines that follow the line at a position; of a log that was rotated, its first ones."""
    with _opened(path) as file:
        if position > file.seek(0, 2):
            position = 0
        file.seek(position)
        data = file.read(PAGE)
        full = len(data) == PAGE
    end, left = 0, lines
    while left and (line_end := data.find(b"\n", end) + 1):
        end, left = line_end, left - 1
    if left and not (full and end):  # the last line has no end yet, or is longer than a page
        end = len(data)
    return _piece(data[:end], position)


def backward(path: Path, position: int | None, lines: int) -> Piece:
    """At most so many lines before the line at a position; without one, the newest."""
    with _opened(path) as file:
        limit = file.seek(0, 2)
        stop = limit if position is None else _line_start(file, min(position, limit))
        start = max(0, stop - PAGE)
        file.seek(start)
        data = file.read(stop - start)
    cut = len(data) - data.endswith(b"\n")
    for _ in range(lines):
        cut = data.rfind(b"\n", 0, cut)
        if cut < 0:
            break
    first = cut + 1 if lines else len(data)
    if cut < 0 and start > 0 and lines:  # cut where the page begins, but not within a character
        first = next((index for index in range(min(4, len(data))) if data[index] & 0xC0 != 0x80), 0)
    return _piece(data[first:], start + first)


def _line_start(file: BinaryIO, position: int) -> int:
    """Where the line at a position begins."""
    start = max(0, position - PAGE)
    file.seek(start)
    return start + file.read(max(0, position - 1 - start)).rfind(b"\n") + 1


def by_bytes(path: Path, start_byte: int, offset: int) -> Piece:
    """The documented byte call: -1 starts so many bytes before the end; a negative offset reads backward."""
    total = size(path)
    start = max(0, total - abs(offset)) if start_byte == -1 else min(start_byte, total)
    stop = min(total, start + abs(offset))
    if offset < 0 and start_byte != -1:
        start, stop = max(0, start + offset), start
    with _opened(path) as file:
        file.seek(start)
        data = file.read(stop - start)
    return _piece(data, start)


def _opened(path: Path) -> BinaryIO:
    return path.open("rb") if path.exists() else Path("/dev/null").open("rb")


def _piece(data: bytes, start: int) -> Piece:
    """Decoded; a character whose last bytes are yet to come is left for the next reading."""
    kept = data[: len(data) - _unfinished(data)]
    first = kept.find(b"\n") + 1 or len(kept)
    return Piece(kept.decode("utf-8", "replace"), start, start + len(kept), start + first)


def _unfinished(data: bytes) -> int:
    """How many bytes at the end begin a character without ending it."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0
