"""Messages about a job on its way, on a stream that the caller may give."""

from __future__ import annotations

import sys
from typing import TextIO

from modelarts._display.notebook import in_notebook, show_html
from modelarts._wire.v1.status import JobStatus
from modelarts.errors import JobError


class Screen:
    """Prints what happens to one job: each status once, the log as it comes, a bad end loudly."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.quiet = quiet
        self._last: JobStatus | None = None
        self._at_line_start = True

    def say(self, text: str) -> None:
        """One message of our own, on a line of its own."""
        if not self.quiet:
            if not self._at_line_start:
                self._write("\n")
            self._write(text + "\n")

    def status(self, status: JobStatus) -> None:
        """A status; shown when it is another than before."""
        if status != self._last:
            self._last = status
            self.say(str(status))

    def log(self, content: str, worker: int | None = None) -> None:
        """Log text as it is; with several workers each line says which one wrote it."""
        if self.quiet:
            return
        if worker is not None:
            if not self._at_line_start:
                self._write("\n")
            content = "".join(f"[worker {worker}] {line}" for line in content.splitlines(keepends=True))
        self._write(content)

    def failure(self, error: JobError) -> None:
        """A bad end, with its reason; the log itself has been shown."""
        head = str(error).partition("\nlast log lines:")[0]
        if self.quiet:
            return
        if in_notebook():
            show_html(head, failed=True)
        else:
            red, plain = ("\033[31m", "\033[0m") if self.stream.isatty() else ("", "")
            self.say(f"{red}{head}{plain}")

    def _write(self, text: str) -> None:
        if text:
            self.stream.write(text)
            self.stream.flush()
            self._at_line_start = text.endswith("\n")
