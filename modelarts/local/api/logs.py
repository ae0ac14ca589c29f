"""Reading logs by line and by byte: any size of file and line in constant memory."""

from __future__ import annotations

import codecs
import io
import stat
from pathlib import Path
from typing import BinaryIO

import attrs

from modelarts.local import files

PAGE = 128 * 1024  # most bytes of one response, however long the lines are


@attrs.frozen
class LogPart:
    """Part of a log: its text, and where it is in the file. The position of a line is the byte behind it."""

    text: str
    start: int
    end: int
    first: int  # position of the first line

    @property
    def lines(self) -> int:
        return self.text.count("\n") + (not self.text.endswith("\n") if self.text else 0)


def size(path: Path) -> int:
    """Bytes of a log; 0 if it is missing, or a job has put something else there."""
    try:
        status = path.lstat()
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def has_text_behind(path: Path, position: int, lines: int) -> bool:
    """Whether `read_forward` would return text; cheap if the log ends at the position."""
    return size(path) != position and bool(read_forward(path, position, lines).text)


def read_forward(path: Path, position: int, lines: int, complete: bool = False) -> LogPart:
    """At most so many lines behind a position; those at the beginning when the log is shorter than that.

    Args:
        path: the log; it may be missing.
        position: the byte behind the last line that was read.
        lines: how many lines at most.
        complete: whether nothing will be added to the log. Until then, the bytes at its end that begin a character
            without ending it are left for the next reading; afterwards they are read as U+FFFD.
    """
    with _open(path) as file:
        if position > file.seek(0, 2):
            position = 0
        file.seek(position)
        data = file.read(PAGE)
        full = len(data) == PAGE
    complete = complete and not full
    end, left = 0, lines
    while left and (line_end := data.find(b"\n", end) + 1):
        end, left = line_end, left - 1
    if left and not (full and end):  # the last line is not complete yet, or is longer than a page
        end = len(data)
    return _decode(data[:end], position, complete)


def read_backward(path: Path, position: int | None, lines: int, complete: bool = False) -> LogPart:
    """At most so many lines before the line at a position; without a position, the newest lines."""
    with _open(path) as file:
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
    return _decode(data[first:], start + first, complete and stop == limit)


def _line_start(file: BinaryIO, position: int) -> int:
    """Where the line at a position begins."""
    start = max(0, position - PAGE)
    file.seek(start)
    return start + file.read(max(0, position - 1 - start)).rfind(b"\n") + 1


def read_bytes(path: Path, start_byte: int, offset: int, complete: bool = False) -> LogPart:
    """The documented byte call: -1 starts so many bytes before the end; a negative offset reads backward."""
    with _open(path) as file:
        total = file.seek(0, 2)
        start = max(0, total - abs(offset)) if start_byte == -1 else min(start_byte, total)
        stop = min(total, start + abs(offset))
        if offset < 0 and start_byte != -1:
            start, stop = max(0, start + offset), start
        file.seek(start)
        data = file.read(stop - start)
    part = _decode(data, start, complete and stop == total)
    if not part.text and stop < total:  # fewer bytes than one character were requested
        part = _decode(data, start, complete=True)
    return part


def _open(path: Path) -> BinaryIO:
    try:
        return files.open_regular(path)
    except (*files.NOTHING_THERE, files.NotRegular):
        return io.BytesIO()


def _decode(data: bytes, start: int, complete: bool) -> LogPart:
    """Decoded; unless the log is complete, a character without its last bytes is left for the next reading."""
    text, used = codecs.utf_8_decode(data, "replace", complete)
    first = data.find(b"\n", 0, used) + 1 or used
    return LogPart(text, start, start + used, start + first)
