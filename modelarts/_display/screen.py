"""Messages about a job that is followed."""

from __future__ import annotations

import sys
from typing import TextIO

from modelarts._display.notebook import in_notebook, show_html
from modelarts._display.terminal import write
from modelarts._wire.v1.status import JobStatus
from modelarts.errors import JobError


class Screen:
    """Prints each new status of a job, its log, and its failure.

    Args:
        stream: where to print; by default, standard output. When it is closed, nothing more is printed.
        quiet: print nothing.
    """

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream = sys.stdout if stream is None else stream  # `None` in a process without a console
        self.quiet = quiet or self.stream is None
        self._last: JobStatus | None = None
        self._at_line_start = True

    def say(self, text: str) -> None:
        """Print a message on a line of its own."""
        if not self.quiet:
            if not self._at_line_start:
                self._write("\n")
            self._write(text + "\n")

    def status(self, status: JobStatus) -> None:
        """Print the name of a status if it has changed."""
        if status != self._last:
            self._last = status
            self.say(status.name)

    def log(self, content: str, worker: int | None = None) -> None:
        """Print log text as it is; with a worker, each line names it."""
        if self.quiet:
            return
        if worker is not None:
            if not self._at_line_start:
                self._write("\n")
            content = "".join(f"[worker {worker}] {line}" for line in content.splitlines(keepends=True))
        self._write(content)

    def failure(self, error: JobError) -> None:
        """Print the reason of a failure; the log has been printed already."""
        head = str(error).partition("\nlast log lines:")[0]
        if self.quiet or self.stream is None:
            return
        if in_notebook():
            show_html(head, failed=True)
        else:
            red, plain = ("\033[31m", "\033[0m") if self.stream.isatty() else ("", "")
            self.say(f"{red}{head}{plain}")

    def _write(self, text: str) -> None:
        if not text or self.stream is None:
            return
        try:
            write(self.stream, text)
            self.stream.flush()
        except (OSError, ValueError):  # it was closed: the job goes on, and so does the waiting
            self.quiet = True
        self._at_line_start = text.endswith("\n")
