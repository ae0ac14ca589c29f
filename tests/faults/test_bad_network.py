"""Every fault of the network, for reading, replacing, deleting and creating calls: on real sockets.

`rows.py` says what the service does, and what must come of it. No fault may end in a success that was none, in another
library's exception, in a second creation, or later than the call's deadline.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Callable

import pytest

from modelarts import errors
from modelarts._submit import idempotent_create
from tests.faults.calls import ASKED, CALLS, GET, PATH, POST, PUT, ask, at, made
from tests.faults.rows import DONE, FAULTS, GOOD, Fault, Outcome, answer, in_seconds, retry_after
from tests.support.cloud import ENGINES, SPECS, cloud_estimator
from tests.support.raw_server import RESET, SILENCE, Action, RawServer, reply

LATE = 0.5  # seconds that a busy machine may add


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("method", CALLS)
def test_each_network_fault_has_the_documented_outcome(method: str, fault: Fault):
    expected = fault.outcome(method)

    call = ask(method, fault.script, fault.seconds)

    if expected.error is not None:
        assert type(call.result) is expected.error
        assert expected.words in str(call.result)
        assert f"{method} http://127.0.0.1:" in str(call.result)
    elif expected.words:
        assert (call.result.is_success, call.result.error_msg) == (False, expected.words)
    else:
        assert call.result.is_success
    assert expected.attempts in (None, call.attempts)
    assert call.seconds < fault.seconds + LATE


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_job_is_created_once_whatever_happens_to_the_reply(fault: Fault, monkeypatch: pytest.MonkeyPatch):
    """The service makes the job in any case, and then does harm."""
    monkeypatch.setattr(idempotent_create, "LOOKUP_PAUSES", ())
    job = {"job_id": 10, "job_name": "digits", "version_id": 20, "status": 1, "create_time": 4_102_444_800_000}
    script = {
        "GET /job/resource-specs": [{"is_success": True, "specs": SPECS}],
        "GET /job/ai-engines": [{"is_success": True, "engines": ENGINES}],
        "POST /training-jobs": fault.script,
        "GET /training-jobs": [{"is_success": True, "jobs": [job]}],
    }
    with RawServer(script) as server, at(server.url) as session, session.deadline(fault.seconds):
        try:
            made = cloud_estimator(session).fit(inputs="/bucket/data/", job_name="digits").job_id
        except errors.ApiError as refused:
            made = refused

    assert server.calls.count("POST /training-jobs") == 1
    if fault.created.error is errors.AuthError or "429" in fault.name:
        assert isinstance(made, errors.ApiError)  # it was refused before anything was made
    elif fault.created == Outcome(1):
        assert made == DONE["job_id"]
    else:
        assert made == 10


@pytest.mark.parametrize("late", [SILENCE, "slow"])
def test_looking_up_a_created_job_takes_at_most_one_total_timeout(late: str):
    def slowly(connection: socket.socket, over: threading.Event) -> None:
        over.wait(0.7)
        connection.sendall(reply({"is_success": True, "jobs": []}))

    script: dict[str, list[Action]] = {
        "GET /job/resource-specs": [{"is_success": True, "specs": SPECS}],
        "GET /job/ai-engines": [{"is_success": True, "engines": ENGINES}],
        "POST /training-jobs": [RESET],
        "GET /training-jobs": [SILENCE if late == SILENCE else slowly],
    }
    with RawServer(script) as server, at(server.url, total_timeout=1, read_timeout=60) as session:
        begun = time.monotonic()
        with pytest.raises(errors.OutcomeUnknown):
            cloud_estimator(session).fit(inputs="/bucket/data/", job_name="digits")

    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("asked", [lambda: "1", lambda: in_seconds(2)], ids=["seconds", "date"])
def test_retry_after_is_respected(asked: Callable[[], str]):
    call = ask(GET, [retry_after(asked(), "503 Service Unavailable"), GOOD])

    assert call.result.is_success
    assert call.attempts == 2
    assert call.seconds > 0.2


@pytest.mark.parametrize("method", CALLS)
def test_a_redirect_is_not_followed_and_gets_no_credentials(method: str):
    with RawServer({ASKED[method]: [GOOD]}) as other:
        elsewhere = answer("307 Temporary Redirect", b"{}", f"Location: {other.url}{PATH}")
        call = ask(method, [elsewhere])

        assert type(call.result) is errors.BadReply
        assert "answered HTTP 307" in str(call.result)
        assert (call.attempts, other.calls) == (1, [])


@pytest.mark.parametrize("method", CALLS)
def test_a_stale_connection_is_replaced(method: str):
    """The service closes a kept connection without a word between two calls."""
    with RawServer({ASKED[method]: [GOOD.replace(b"close", b"keep-alive")]}) as server, at(server.url) as session:
        answers = []
        for number in range(3):
            answers.append(made(session, method, 5))
            while server.closed_connections <= number:
                time.sleep(0.001)

    assert answers == [DONE] * 3
    assert len(server.calls) == 3


# --- deadlines of one call


def test_a_call_may_have_its_own_timeouts():
    with RawServer({ASKED[GET]: [SILENCE]}) as server, at(server.url, read_timeout=60) as session:
        begun = time.monotonic()
        with session.deadline(20, read=0.1), pytest.raises(errors.ConnectionFailed, match="no reply in time"):
            session.client.call(CALLS[GET][0], **CALLS[GET][1])

    assert len(server.calls) == 5
    assert 0.5 < time.monotonic() - begun < 5


def test_nested_deadlines_change_only_the_timeouts_they_name():
    with at("http://127.0.0.1:9") as session:
        with session.deadline(20, connect=3), session.deadline(read=5):
            assert session.client.options.read_timeout == 5
            assert session.client.options.connect_timeout == 3
            assert session.client.options.total_timeout == 20
        assert session.client.options == session.client.transport.options


@pytest.mark.parametrize("method", [GET, PUT, POST])
def test_an_unresponsive_address_is_given_up_in_time(method: str):
    """Of a network that drops packets: the address is one that leads nowhere (RFC 5737)."""
    with at("http://192.0.2.1") as session, session.deadline(connect=0.1):
        begun = time.monotonic()
        result = made(session, method, 2.0)

    assert type(result) is errors.ConnectionFailed  # also of a creating call: it was never sent
    assert time.monotonic() - begun < 2.0 + LATE
