"""The log of a worker, as the supervisor writes it.

Standard library only, since the supervisor starts with it.
"""

from __future__ import annotations

import os
from io import FileIO

SERVICE_LOG = "[Modelarts Service Log]"


class Log:
    """A worker's log: the file of the service, and its copy in the bucket. A full disk does not end the job."""

    def __init__(self, *paths: str | None) -> None:
        self.problem = ""
        self._files: list[FileIO] = []
        for path in filter(None, paths):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._files.append(FileIO(path, "ab"))
            except (OSError, ValueError) as error:
                self._note(error, path)

    def write(self, data: bytes) -> None:
        for file in list(self._files):
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest):]  # fmt: skip
            except OSError as error:
                self._note(error, str(file.name))

    def line(self, text: str) -> None:
        self.write(f"{SERVICE_LOG}{text}\n".encode("utf-8", "replace"))

    def _note(self, error: OSError | ValueError, path: str) -> None:
        self.problem = self.problem or f"the log is incomplete, {path} cannot be written: {explain(error)}"


def copy(descriptor: int, log: Log) -> None:
    """Copy the output of a worker to its log until it is closed."""
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:
            return
        if not data:
            return
        log.write(data)


def explain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
