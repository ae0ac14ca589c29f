"""Every fault of the network, for reading, replacing, deleting and creating calls: on real sockets.

Each row says what the service does first, and what must come of it. No fault may end in a success that was none,
in another library's exception, in a second creation, or later than the call's deadline.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable

import pytest
from support.cloud import PROJECT, cloud_session
from support.raw_server import RESET, SILENCE, RawServer, reply

from modelarts import errors
from modelarts.session import Session

PATH = f"/v1/{PROJECT}/training-jobs/1"
GET, PUT, DELETE, POST = "GET", "PUT", "DELETE", "POST"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    GET: ("get_training_job_version", {"path": {"job_id": 1, "version_id": 2}}),
    PUT: ("update_training_job_description", {"path": {"job_id": 1}, "body": {"job_desc": "d"}}),
    DELETE: ("delete_training_job", {"path": {"job_id": 1}}),
    POST: ("create_training_job_version", {"path": {"job_id": 1}, "body": {"config": {}}}),
}
ASKED = {
    GET: "GET /training-jobs/1/versions/2", PUT: "PUT /training-jobs/1", DELETE: "DELETE /training-jobs/1",
    POST: "POST /training-jobs/1/versions",
}  # fmt: skip
GOOD = reply({"is_success": True, "job_id": 1})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def answer(status: str, body: bytes, *fields: str) -> bytes:
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode() + body


def reset_after(sent: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Send some bytes, then reset the connection."""

    def act(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(sent)
        time.sleep(0.05)  # let them arrive before the reset overtakes them
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def drip(connection: socket.socket, over: threading.Event) -> None:
    """A byte each tenth of a second: no single read takes long."""
    for byte in GOOD * 10:
        if over.wait(0.1):
            return
        try:
            connection.sendall(bytes([byte]))
        except OSError:
            return


def retry_after(value: str, status: str = "503 Service Unavailable") -> bytes:
    return answer(status, b'{"is_success": false, "error_code": "ModelArts.0010", "error_message": "busy"}',
                  f"Retry-After: {value}")  # fmt: skip


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


LOST: dict[str, Any] = {
    "reset before the answer": RESET,
    "reset within the headers": reset_after(HEAD[:30]),
    "reset within the body": reset_after(HEAD + b"Content-Length: 500\r\n\r\n{\"is_suc"),
    "closed within the body": HEAD + b"Content-Length: 500\r\n\r\n{\"is_success\": true}",
    "closed without an answer": b"",
    "a stall": SILENCE,
    "a drip": drip,
}
PASSING: dict[str, Any] = {
    "429 with seconds": retry_after("0", "429 Too Many Requests"),
    "503 with a date": retry_after(in_seconds(-5)),
    "503 with an absurd date": retry_after("soon"),
    "503 with a negative number": retry_after("-3"),
    "500 with HTML": answer("500 Internal Server Error", b"<html>oops</html>"),
    "502 with HTML": answer("502 Bad Gateway", b"<html>bad gateway</html>"),
}
BROKEN: dict[str, Any] = {
    "truncated JSON": answer("200 OK", b'{"is_success": tr'),
    "nothing": answer("200 OK", b""),
    "HTML": answer("200 OK", b"<html>login</html>"),
    "a list": answer("200 OK", b"[1, 2]"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short time-outs and hardly a pause; endpoints of a test are forgotten after it."""
    from modelarts import _transport

    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setattr(_transport, "_FIRST_PAUSE", 0.01)
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "0.4")


def asked_of(method: str, *script: Any, seconds: float = 5.0) -> tuple[Any, int, float]:
    """Make one call to a service that follows a script: its result or error, the attempts, the seconds."""
    with RawServer({ASKED[method]: list(script)}) as server:
        Session.set_endpoint("iam", "obs", server.url, region_name="here")
        with cloud_session(region_name="here") as session, session.deadline(seconds):
            operation, arguments = CALLS[method]
            begun = time.monotonic()
            try:
                result: Any = session.client.call(operation, **arguments)
            except errors.ModelArtsError as error:
                result = error
            return result, len(server.asked), time.monotonic() - begun


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("method", [GET, PUT, DELETE])
def test_a_lost_answer_is_asked_for_again(method: str, fault: str):
    result, attempts, _ = asked_of(method, LOST[fault], GOOD, seconds=30 if fault != "a drip" else 1.0)

    if fault == "a drip":  # it used up the time of the whole call
        assert isinstance(result, errors.ConnectionFailed)
        assert attempts == 1
    else:
        assert result == {"is_success": True, "job_id": 1}
        assert attempts == 2


@pytest.mark.parametrize("fault", LOST)
def test_a_creating_call_whose_answer_is_lost_is_not_sent_again(fault: str):
    result, attempts, _ = asked_of(POST, LOST[fault], GOOD, seconds=1.0)

    assert type(result) is errors.OutcomeUnknown
    assert attempts == 1


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("method", CALLS)
def test_a_fault_that_lasts_ends_within_the_deadline(method: str, fault: str):
    result, _, seconds = asked_of(method, LOST[fault], seconds=1.0)

    assert isinstance(result, errors.ConnectionFailed)
    assert str(result).startswith(f"{method} http://127.0.0.1:")
    assert seconds < 1.5


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("method", [GET, PUT, DELETE])
def test_what_passes_is_waited_out(method: str, fault: str):
    result, attempts, _ = asked_of(method, PASSING[fault], PASSING[fault], GOOD)

    assert result == {"is_success": True, "job_id": 1}
    assert attempts == 3


@pytest.mark.parametrize("fault", PASSING)
def test_a_creating_call_is_answered_once_whatever_the_answer(fault: str):
    result, attempts, _ = asked_of(POST, PASSING[fault], GOOD)

    assert attempts == 1
    assert isinstance(result, (errors.ModelArtsError, dict))
    assert not (isinstance(result, dict) and result["is_success"])


def test_a_service_is_not_waited_for_longer_than_the_call_may_take():
    result, attempts, seconds = asked_of(GET, retry_after("3600"), GOOD, seconds=1.0)

    assert (result.is_success, result.error_code) == (False, "ModelArts.0010")
    assert (attempts, seconds < 1.0) == (1, True)


@pytest.mark.parametrize("asked", [lambda: "1", lambda: in_seconds(2)], ids=["seconds", "date"])
def test_the_pause_that_a_service_asks_for_is_kept(asked: Callable[[], str]):
    result, attempts, seconds = asked_of(GET, retry_after(asked()), GOOD)

    assert result["is_success"]
    assert attempts == 2
    assert seconds > 0.2


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("method", CALLS)
def test_an_answer_that_is_none_is_never_a_success(method: str, fault: str):
    result, attempts, _ = asked_of(method, BROKEN[fault], GOOD)

    assert isinstance(result, errors.OutcomeUnknown if method == POST else errors.BadReply)
    assert "what is no ModelArts reply" in str(result)
    assert attempts == 1


def test_an_answer_of_fifty_megabytes_is_read_whole():
    big = {"is_success": True, "jobs": ["x" * 50_000_000]}

    result, attempts, _ = asked_of(GET, answer("200 OK", json.dumps(big).encode()), seconds=30)

    assert (len(result["jobs"][0]), attempts) == (50_000_000, 1)


@pytest.mark.parametrize("method", CALLS)
def test_a_redirect_is_not_followed_and_takes_no_credentials_along(method: str):
    with RawServer({ASKED[method]: [GOOD]}) as other:
        elsewhere = answer("307 Temporary Redirect", b"{}", f"Location: {other.url}{PATH}")
        result, attempts, _ = asked_of(method, elsewhere)

        assert isinstance(result, errors.BadReply)
        assert (attempts, other.asked) == (1, [])


@pytest.mark.parametrize("method", [GET, PUT, DELETE])
def test_a_stale_connection_is_opened_anew(method: str):
    """The service closes a kept connection without a word between two calls."""
    with RawServer({ASKED[method]: [GOOD.replace(b"close", b"keep-alive")]}) as server:
        Session.set_endpoint("iam", "obs", server.url, region_name="here")
        with cloud_session(region_name="here") as session:
            operation, arguments = CALLS[method]
            answers = [session.client.call(operation, **arguments) for _ in range(3)]

    assert answers == [{"is_success": True, "job_id": 1}] * 3


def test_a_name_that_does_not_resolve_is_told():
    Session.set_endpoint("iam", "obs", "http://no-such-host.invalid", region_name="here")
    with (
        cloud_session(region_name="here") as session,
        session.deadline(1.0),
        pytest.raises(errors.ConnectionFailed, match="nobody answers at that address"),
    ):
        session.client.call("list_job_engines")


def test_a_proxy_that_fails_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    Session.set_endpoint("iam", "obs", "http://modelarts.example", region_name="here")
    with (
        cloud_session(region_name="here") as session,
        session.deadline(1.0),
        pytest.raises(errors.ConnectionFailed, match="proxies"),
    ):
        session.client.call("list_job_engines")


def test_a_failing_tls_handshake_is_told():
    with RawServer({}) as server:  # it does not speak TLS
        Session.set_endpoint("iam", "obs", server.url.replace("http:", "https:"), region_name="here")
        with (
            cloud_session(region_name="here") as session,
            session.deadline(2.0),
            pytest.raises(errors.ConnectionFailed),
        ):
            session.client.call("list_job_engines")
