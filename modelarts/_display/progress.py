"""How far a transfer is: one line on a terminal, one block in a notebook, nothing anywhere else."""

from __future__ import annotations

import html
import importlib
import shutil
import sys
import threading
import time
from typing import Any, Callable, TextIO

from modelarts._display import cells
from modelarts._display.notebook import in_notebook

_FIRST = 0.5  # seconds before anything is shown: what is over by then needs no progress
_EVERY = 0.2
_SHORTEST_TITLE = 8  # columns; less than that tells nothing


def meter(title: str, progress: bool | None = None, stream: TextIO | None = None) -> Silent | Progress:
    """What shows a transfer.

    Args:
        title: what is moved where.
        progress: show it, or do not; left out, it is shown on terminals and in notebooks.
        stream: where to, instead of standard error.
    """
    stream = sys.stderr if stream is None else stream
    if progress is False:
        return Silent()
    if in_notebook():
        return Progress(title, _Block().show)
    terminal = stream is not None and stream.isatty()  # there is none in a process without a console
    if terminal or progress:
        return Progress(title, _Line(stream, terminal).show)
    return Silent()


class Silent:
    """Shows nothing."""

    def found(self, size: int) -> None: ...
    def skipped(self, size: int) -> None: ...
    def found_all(self) -> None: ...
    def moved(self, size: int) -> None: ...
    def finished(self) -> None: ...
    def close(self) -> None: ...


class Progress:
    """Counts files and bytes, and shows them now and then; many threads may count.

    Args:
        title: what is moved where.
        show: shows the title and the numbers; the third argument says that they are the last.
        clock: seconds that never go back.
    """

    def __init__(
        self, title: str, show: Callable[[str, str, bool], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title = title
        self._show = show
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._next = self._began + _FIRST
        self._files = self._size = self._complete = self._moved = 0
        self._all_found = self._closed = self._shown = False

    def found(self, size: int) -> None:
        with self._lock:
            self._files += 1
            self._size += size

    def skipped(self, size: int) -> None:
        with self._lock:
            self._files -= 1
            self._size -= size

    def found_all(self) -> None:
        with self._lock:
            self._all_found = True

    def moved(self, size: int) -> None:
        with self._lock:
            self._moved += size
            self._now_and_then()

    def finished(self) -> None:
        with self._lock:
            self._complete += 1
            self._now_and_then()

    def close(self) -> None:
        with self._lock:
            if not self._closed and (self._shown or self._clock() >= self._began + _FIRST):
                self._say(last=True)
            self._closed = True

    def _now_and_then(self) -> None:
        now = self._clock()
        if now >= self._next and not self._closed:
            self._next = now + _EVERY
            self._shown = True
            self._say(last=False)

    def _say(self, last: bool) -> None:
        try:
            self._show(self._title, self._numbers(), last)
        except (OSError, ValueError):  # the terminal is gone, or the stream is closed: nobody looks any more
            self._closed = True

    def _numbers(self) -> str:
        seconds = max(self._clock() - self._began, 0.001)
        more = "" if self._all_found else "+"
        share = f"{100 * self._moved // self._size if self._size else 100:3d} %  " if self._all_found else ""
        return (
            f"{share}{size_text(self._moved)} of {size_text(self._size)}{more}, "
            f"{self._complete} of {self._files}{more} files, {size_text(self._moved / seconds)}/s"
        )


class _Line:
    """A line that is written over; without a terminal, the last one only."""

    def __init__(self, stream: TextIO, terminal: bool) -> None:
        self._stream = stream
        self._terminal = terminal
        self._width = 0

    def show(self, title: str, numbers: str, last: bool) -> None:
        if self._terminal:
            columns = shutil.get_terminal_size().columns - 1  # a full line would wrap
            text = _fitting(title, numbers, columns)
            taken = cells.width(text)
            blank = " " * (min(self._width, columns) - taken)
            self._stream.write(f"\r{text}{blank}" + ("\n" if last else ""))
            self._width = taken
        elif last:
            self._stream.write(f"{title}  {numbers}\n")
        self._stream.flush()


def _fitting(title: str, numbers: str, columns: int) -> str:
    """As much as a line has room for: the numbers first, as they are what changes."""
    room = columns - cells.width(numbers) - 2
    if room < _SHORTEST_TITLE:
        return cells.cut(numbers.lstrip(), columns)
    return f"{cells.shortened(title, room)}  {numbers}"


class _Block:
    """A block of a notebook that is shown anew."""

    def __init__(self) -> None:
        self._display: Any = importlib.import_module("IPython.display")  # it is there: `in_notebook` said so
        self._handle: Any = None

    def show(self, title: str, numbers: str, last: bool) -> None:
        block = self._display.HTML(f"<code>{html.escape(f'{title}  {numbers}')}</code>")
        if self._handle is None:
            self._handle = self._display.display(block, display_id=True)
        else:
            self._handle.update(block)


def size_text(count: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count:.0f} {'byte' if count == 1 else unit}"
        count /= 1000
    return f"{count:.1f} TB"
