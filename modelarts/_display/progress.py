"""Progress of a transfer: one line on a terminal, one block in a notebook, nothing anywhere else.

`tqdm` is not used. Where its line does not fit, it cuts off the numbers, not the title; in a notebook it needs
`ipywidgets`; a broken pipe ends the transfer; a log file gets many lines instead of one; and it starts a thread.
"""

from __future__ import annotations

import html
import importlib
import shutil
import sys
import threading
import time
from typing import Any, Callable, TextIO

from modelarts._display import terminal
from modelarts._display.notebook import in_notebook
from modelarts._wire.sizes import size_text

_DELAY = 0.5  # seconds until progress is shown: a shorter transfer shows none
_INTERVAL = 0.2  # seconds between two updates
_SHORTEST_TITLE = 8  # columns; a shorter one says nothing


def meter(title: str, progress: bool | None = None, stream: TextIO | None = None) -> Silent | Progress:
    """What shows a transfer.

    Args:
        title: what is transferred.
        progress: whether to show it; by default, on terminals and in notebooks.
        stream: where to write, instead of standard error.
    """
    stream = sys.stderr if stream is None else stream
    if progress is False:
        return Silent()
    if in_notebook():
        return Progress(title, _Block().show)
    is_terminal = stream is not None and stream.isatty()  # a process without a console has no stream
    if is_terminal or progress:
        return Progress(title, _Line(stream, is_terminal).show)
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
    """Counts files and bytes, and shows them at intervals; many threads may count.

    Args:
        title: what is transferred.
        show: shows a title and numbers; the third argument says that they are final.
        clock: seconds of a monotonic clock.
    """

    def __init__(
        self, title: str, show: Callable[[str, str, bool], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title = title
        self._show = show
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._next = self._began + _DELAY
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
            self._show_at_intervals()

    def finished(self) -> None:
        with self._lock:
            self._complete += 1
            self._show_at_intervals()

    def close(self) -> None:
        with self._lock:
            if not self._closed and (self._shown or self._clock() >= self._began + _DELAY):
                self._update(last=True)
            self._closed = True

    def _show_at_intervals(self) -> None:
        now = self._clock()
        if now >= self._next and not self._closed:
            self._next = now + _INTERVAL
            self._shown = True
            self._update(last=False)

    def _update(self, last: bool) -> None:
        try:
            self._show(self._title, self._numbers(), last)
        except (OSError, ValueError):  # the terminal was closed: show nothing more
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
    """A line that is overwritten; without a terminal, only the final one is written."""

    def __init__(self, stream: TextIO, is_terminal: bool) -> None:
        self._stream = stream
        self._is_terminal = is_terminal
        self._width = 0

    def show(self, title: str, numbers: str, last: bool) -> None:
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns - 1  # a full line would wrap
            text = _fitting(title, numbers, columns)
            taken = terminal.width(text)
            blank = " " * (min(self._width, columns) - taken)
            terminal.write(self._stream, f"\r{text}{blank}" + ("\n" if last else ""))
            self._width = taken
        elif last:
            terminal.write(self._stream, f"{title}  {numbers}\n")
        self._stream.flush()


def _fitting(title: str, numbers: str, columns: int) -> str:
    """Title and numbers in the given columns; the numbers are kept, as they are what changes."""
    room = columns - terminal.width(numbers) - 2
    if room < _SHORTEST_TITLE:
        return terminal.cut(numbers.lstrip(), columns)
    return f"{terminal.shortened(title, room)}  {numbers}"


class _Block:
    """A block of a notebook that is updated."""

    def __init__(self) -> None:
        self._display: Any = importlib.import_module("IPython.display")  # a notebook has it
        self._handle: Any = None

    def show(self, title: str, numbers: str, last: bool) -> None:
        block = self._display.HTML(f"<code>{html.escape(f'{title}  {numbers}')}</code>")
        if self._handle is None:
            self._handle = self._display.display(block, display_id=True)
        else:
            self._handle.update(block)
