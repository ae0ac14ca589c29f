"""One attempt of a request, and how requests are repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Optional, Union

import requests

OK = 200
TRANSIENT = frozenset((429, 500, 502, 503, 504))
ATTEMPTS = 5
LARGEST = 256 << 20  # bytes of a reply when it is unpacked; the largest documented ones are logs of 5 MB
_CHUNK = 64 << 10
_LENGTHS = {"content-length", "transfer-encoding"}


def receive_all(reply: requests.Response, most: int = LARGEST) -> None:
    """Read a complete reply, with a limit in bytes. A reply that is cut off is a failure of the attempt."""
    size = 0
    chunks = []
    for chunk in reply.iter_content(_CHUNK):
        size += len(chunk)
        if size > most:
            raise requests.ConnectionError(f"the reply is longer than {most >> 20} MB")
        chunks.append(chunk)
    reply._content = b"".join(chunks)
    has_length = any(name.lower() in _LENGTHS for name in reply.headers)
    if not size and not has_length and reply.status_code == OK and reply.request.method != "HEAD":
        raise requests.ConnectionError("the reply ended within its headers")


class Attempt(NamedTuple):
    """One attempt of a request: created anew each time, because addresses change and signatures age.

    Args:
        body: what is sent; for an iterable, `headers` has the `Content-Length`.
        receive: reads the reply; what it raises is a failure of the attempt, unless it is a `ModelArtsError`.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: Union[bytes, Iterable[Any]] = b""
    receive: Callable[[requests.Response], None] = receive_all

    def __repr__(self) -> str:  # without the headers, which hold secrets
        return f"Attempt(method={self.method!r}, url={self.url!r})"


def _is_transient(reply: requests.Response) -> bool:
    return reply.status_code in TRANSIENT


def _nothing() -> None:
    """Do nothing."""


class Repeats(NamedTuple):
    """How a request is repeated.

    Args:
        allowed: whether it may be sent again although it may have reached the service.
        after_failure: called before a repeat, when there was no reply.
        attempts: how many there are at most.
        is_transient: whether another attempt may get a better reply.
        pause: waits so many seconds, in place of `time.sleep`; it may raise.
    """

    allowed: bool
    after_failure: Callable[[], None] = _nothing
    attempts: int = ATTEMPTS
    is_transient: Callable[[requests.Response], bool] = _is_transient
    pause: Optional[Callable[[float], None]] = None
