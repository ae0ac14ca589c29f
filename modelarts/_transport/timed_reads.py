"""Reading an answer in time: one that drips byte after byte meets no read time-out otherwise."""

from __future__ import annotations

import http.client
import io
import socket
from typing import Any, Callable


class _Reader(io.RawIOBase):
    """The bytes of a socket, each of them in time."""

    def __init__(self, raw: Any, connected: socket.socket, patience: Callable[[], float]) -> None:
        self._raw = raw
        self._socket = connected
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._socket.settimeout(self._patience())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def read_in_time(answer: http.client.HTTPResponse, connected: socket.socket, patience: Callable[[], float]) -> None:
    """Have an answer that was not read yet read in time.

    Args:
        patience: seconds that the next bytes may take; raises `socket.timeout` when the time is over.
    """
    raw: Any = answer.fp.detach()
    answer.fp = io.BufferedReader(_Reader(raw, connected, patience))
