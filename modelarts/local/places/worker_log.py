"""The log of a worker, as the supervisor writes it.

Standard library only, since the supervisor starts with it.
"""

from __future__ import annotations

import os
import threading
from io import FileIO

from modelarts.local import files
from modelarts.local.runtime.log_lines import LOCAL_LOG, SERVICE_LOG
from modelarts.local.runtime.secrets import HIDDEN

_LONGEST_LINE = 1 << 20  # bytes of a line that are kept until its end


class Log:
    """A worker's log: the file of the service, and its copy in the bucket. A full disk does not end the job.

    Args:
        paths: of both; the second one may be missing.
        hidden: a text that no log holds, such as the job's key for the buckets, which scripts print with `os.environ`.
    """

    def __init__(self, *paths: str | None, hidden: str = "") -> None:
        self.problem = ""
        self._hidden = hidden.encode()
        self._files: list[FileIO] = []
        self._inside_a_line = False
        self._writing = threading.Lock()
        for path in filter(None, paths):
            try:
                files.make_folders(os.path.dirname(path))
                self._files.append(files.open_to_append(path))
            except (OSError, ValueError) as error:
                self._report(error, path)

    def write(self, data: bytes) -> None:
        """Add output of the worker."""
        with self._writing:
            self._write(self.redact(data))

    def redact(self, data: bytes) -> bytes:
        """Output without the hidden text."""
        return data.replace(self._hidden, HIDDEN.encode()) if self._hidden else data

    def count_unfinished(self, data: bytes) -> int:
        """How many bytes at the end of redacted output may be the beginning of the hidden text."""
        lengths = range(min(len(self._hidden) - 1, len(data)), 0, -1)
        return next((length for length in lengths if data.endswith(self._hidden[:length])), 0)

    def line(self, text: str) -> None:
        """Add a line as the platform writes it."""
        self._add(f"{SERVICE_LOG}{text}")

    def note(self, text: str) -> None:
        """Add a line that only this service writes."""
        self._add(f"{LOCAL_LOG}{text}")

    def _add(self, text: str) -> None:
        with self._writing:
            end_of_output = "\n" if self._inside_a_line else ""
            self._write(f"{end_of_output}{text}\n".encode("utf-8", "replace"))

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self._inside_a_line = not data.endswith(b"\n")
        for file in list(self._files):
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest):]  # fmt: skip
            except OSError as error:
                self._report(error, str(file.name))

    def _report(self, error: OSError | ValueError, path: str) -> None:
        self.problem = self.problem or f"the log is incomplete, {path} cannot be written: {explain(error)}"


def copy(descriptor: int, log: Log) -> None:
    """Copy the output of a program to the log of its worker until it is closed."""
    held = b""
    while data := _read(descriptor):
        data = log.redact(held + data)
        end = len(data) - log.count_unfinished(data)
        held = data[end:]
        log.write(data[:end])
    log.write(held)


def copy_lines(descriptor: int, label: str, log: Log) -> None:
    """Copy the output of one of several programs, line by line, each with the label of the program if it has one."""
    start, rest = f"[{label}] ".encode() if label else b"", b""
    while data := _read(descriptor):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:  # such as a progress bar of many hours
            lines, rest = [*lines, rest], b""
        log.write(b"".join(start + line + b"\n" for line in lines))
    if rest:
        log.write(start + rest + b"\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def explain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
