"""Network faults as a table: what the service does, and the required outcome of each kind of call."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Callable, Optional

import attrs

from modelarts.errors import AuthError, BadReply, ConnectionFailed, ModelArtsError, OutcomeUnknown
from tests.support.raw_server import RESET, SILENCE, Action, reply

PATIENCE = 0.4  # seconds of the read time-out
ATTEMPTS = 5  # at most, for what may be repeated
DONE = {"is_success": True, "job_id": 1, "version_id": 2}
GOOD = reply(DONE)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
BUSY = b'{"is_success": false, "error_code": "ModelArts.0010", "error_message": "busy"}'
EXPIRED = b'{"error_msg": "Incorrect IAM authentication information: Signature expired", "error_code": "APIG.0301"}'


@attrs.frozen
class Outcome:
    """The required outcome of a call.

    Args:
        attempts: how often the service was asked; `None` where the time that is left decides.
        error: class of the error; none where the call succeeds, or returns a refusal.
        words: what the error says, or the refusal.
    """

    attempts: Optional[int]
    error: Optional[type[ModelArtsError]] = None
    words: str = ""


@attrs.frozen
class Fault:
    """One row: what the service does, for calls that may be repeated and for creating ones.

    Args:
        script: what it does, one after the other; the last stays.
        repeated: outcome of GET, PUT and DELETE.
        created: outcome of a creating POST.
        seconds: total deadline of the call.
    """

    name: str
    script: Sequence[Action]
    repeated: Outcome
    created: Outcome
    seconds: float = 5.0

    def outcome(self, method: str) -> Outcome:
        return self.created if method == "POST" else self.repeated


def answer(status: str, body: bytes, *fields: str) -> bytes:
    """A complete reply with a status and more fields."""
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode() + body


def reset_after(sent: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Send some bytes, then reset the connection."""

    def act(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(sent)
        time.sleep(0.05)  # let them arrive before the reset overtakes them
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def drip(start: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """After a start, one byte each tenth of a second: no single read takes long."""

    def act(connection: socket.socket, over: threading.Event) -> None:
        try:
            connection.sendall(start)
            for byte in GOOD * 10:
                if over.wait(0.1):
                    return
                connection.sendall(bytes([byte]))
        except OSError:
            return

    return act


def retry_after(value: str, status: str) -> bytes:
    return answer(status, BUSY, f"Retry-After: {value}")


def in_seconds(seconds: float) -> str:
    """A date in HTTP format."""
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


def expired(connection: socket.socket, _: threading.Event) -> None:
    """Refuse a signature; the clock of the service is an hour behind."""
    connection.sendall(answer("401 Unauthorized", EXPIRED, f"Date: {in_seconds(-3600)}"))


def _lost(name: str, action: Action, words: str) -> list[Fault]:
    """A reply that is lost once, and one that is always lost."""
    unknown = Outcome(1, OutcomeUnknown, words)
    return [
        Fault(f"{name}, once", [action, GOOD], Outcome(2), unknown),
        Fault(f"{name}, always", [action], Outcome(ATTEMPTS, ConnectionFailed, words), unknown),
    ]


def _passing(name: str, action: Action, repeated: Outcome, created: Outcome) -> list[Fault]:
    """A reply that means to try again: sent twice, and always."""
    return [Fault(f"{name}, twice", [action, action, GOOD], Outcome(3), created),
            Fault(f"{name}, always", [action], repeated, created)]  # fmt: skip


def _no_reply(name: str, action: Action, start: str) -> Fault:
    """A reply with status 200 that is not a success: it is an error, and the request is not repeated."""
    words = f"with a body that is not a ModelArts reply: {start!r}"
    return Fault(name, [action, GOOD], Outcome(1, BadReply, words), Outcome(1, OutcomeUnknown, words))


_BROKE, _LATE = "the connection was lost", "no reply in time"
_REFUSED = Outcome(1, None, "busy")
_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_LOST = [
    *_lost("reset before the answer", RESET, _BROKE),
    *_lost("reset within the headers", reset_after(HEAD[:30]), _BROKE),
    *_lost("reset within the body", reset_after(HEAD + b'Content-Length: 500\r\n\r\n{"is_suc'), _BROKE),
    *_lost("reset within a chunk", reset_after(_CHUNKED + b'20\r\n{"is_suc'), _BROKE),
    *_lost("closed before the answer", b"", _BROKE),
    *_lost("closed within the headers", HEAD[:30], _BROKE),
    *_lost("closed within the body", HEAD + b'Content-Length: 500\r\n\r\n{"is_success": true}', _BROKE),
    *_lost("closed between chunks", _CHUNKED + b'14\r\n{"is_success": true}\r\n', _BROKE),
]
_SLOW = [
    Fault("a stall, once", [SILENCE, GOOD], Outcome(2), Outcome(1, OutcomeUnknown, _LATE)),
    Fault("a stall, always", [SILENCE], Outcome(None, ConnectionFailed, _LATE), Outcome(1, OutcomeUnknown, _LATE), 1.0),
    *(Fault(f"a drip of the {part}", [drip(start), GOOD], Outcome(1, ConnectionFailed, _LATE),
            Outcome(1, OutcomeUnknown, _LATE), 1.0)
      for part, start in (("headers", b""), ("body", HEAD + b"Content-Length: 500\r\n\r\n"))),
]  # fmt: skip
_PASSING = [
    fault
    for status in ("429 Too Many Requests", "503 Service Unavailable")
    for kind, value in (("seconds", "0"), ("a date", in_seconds(-5)), ("an absurd date", "soon"),
                        ("a negative number", "-3"))
    for fault in _passing(f"{status[:3]} with {kind}", retry_after(value, status),
                          Outcome(ATTEMPTS, None, "busy"), _REFUSED)
]  # fmt: skip
_PASSING += [
    Fault(f"{status[:3]} for {name}", [retry_after(value, status)], _REFUSED, _REFUSED, 1.0)
    for status in ("429 Too Many Requests", "503 Service Unavailable")
    for name, value in (("an hour", "3600"), ("until tomorrow", in_seconds(86400)), ("ages", "9" * 400))
]
_PASSING += [
    fault
    for status in ("500 Internal Server Error", "502 Bad Gateway")
    for words in [f"answered HTTP {status[:3]} with a body that is not a ModelArts reply: '<html>oops"]
    for fault in _passing(f"{status[:3]} with HTML", answer(status, b"<html>oops</html>"),
                          Outcome(ATTEMPTS, BadReply, words), Outcome(1, OutcomeUnknown, words))
]  # fmt: skip
_BROKEN = [
    _no_reply("200 with truncated JSON", answer("200 OK", b'{"is_success": tr'), '{"is_success": tr'),
    _no_reply("200 with nothing", answer("200 OK", b""), ""),
    _no_reply("200 with HTML", answer("200 OK", b"<html>login</html>"), "<html>login</html>"),
    _no_reply("200 with a list", answer("200 OK", b"[1, 2]"), "[1, 2]"),
    _no_reply("200 with what is no text", answer("200 OK", b"\xff{"), "\ufffd{"),
]
_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
_LARGE = b"x" * 5_000_000
_REST = [
    Fault("interim replies before the reply", [_INTERIM + b"HTTP/1.1 100 Continue\r\n\r\n" + _INTERIM + GOOD],
          Outcome(1), Outcome(1)),
    Fault("5 MB", [answer("200 OK", json.dumps({**DONE, "text": ""}).encode().replace(b'""', b'"%s"' % _LARGE))],
          Outcome(1), Outcome(1), 60.0),
    Fault("5 MB that are no JSON", [answer("200 OK", _LARGE)],
          Outcome(1, BadReply, "with a body that is not a ModelArts reply: 'xxx"),
          Outcome(1, OutcomeUnknown, "with a body that is not a ModelArts reply: 'xxx"), 60.0),
    Fault("an expired signature", [expired],
          Outcome(1, AuthError, "Signature expired. This machine's clock is 1 h 0 min"),
          Outcome(1, AuthError, "Signature expired. This machine's clock is 1 h 0 min")),
]  # fmt: skip
FAULTS = (*_LOST, *_SLOW, *_PASSING, *_BROKEN, *_REST)
