"""Waiting for a job continues through outages, maintenance pages and keys that are being replaced."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from modelarts import errors
from modelarts._jobs import follow, reconnect
from modelarts.job import TrainingJob
from tests.faults.calls import at
from tests.faults.rows import BUSY, EXPIRED, answer
from tests.support.cloud import BASE, cloud_session
from tests.support.raw_server import RESET, SILENCE, RawServer, reply

INFO, NAMES, LOG = (f"GET /training-jobs/1/versions/2{part}" for part in ("", "/log/file-names", "/aom-log"))
RUNNING, DONE = ({"is_success": True, "job_id": 1, "version_id": 2, "status": status} for status in (8, 10))
ATTEMPTS = 5  # of one call, where it is repeated
OUTAGES: dict[str, Any] = {
    "no connection": RESET,
    "a busy service": answer("503 Service Unavailable", BUSY),
    "too many calls": answer("429 Too Many Requests", BUSY),
    "a maintenance page": answer("502 Bad Gateway", b"<html>back soon</html>"),
    "a portal that wants a login": answer("200 OK", b"<html>log in</html>"),
    "an object of another service": answer("200 OK", b'{"login": "required"}'),
    "a version without a status": answer("200 OK", b'{"is_success": true, "status": null}'),
    "keys that are being replaced": answer("401 Unauthorized", EXPIRED),
}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between attempts short."""
    monkeypatch.setattr(reconnect, "RETRY", 0.02)


def version(*script: Any) -> RawServer:
    """A service with a version that has no log; its status replies are these."""
    return RawServer({INFO: list(script), NAMES: [{"is_success": True, "log_file_list": []}]})


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_waiting_continues_through_an_outage_which_is_reported_once(outage: Any, capsys: pytest.CaptureFixture[str]):
    with version(RUNNING, *[outage] * 3 * ATTEMPTS, RUNNING, DONE) as server, at(server.url) as session:
        info = TrainingJob(session, 1, 2).wait(timeout=30)

    assert info.status == 10
    shown = capsys.readouterr().out
    assert shown.count("the service is unreachable, the job continues: ") == 1
    assert len(re.findall(r"reached the service again after \d s", shown)) == 1
    assert shown.splitlines()[-1] == "JOBSTAT_COMPLETED"


def test_a_log_that_cannot_be_read_for_a_while_is_shown_completely(capsys: pytest.CaptureFixture[str]):
    pages = [{"is_success": True, "content": f"line {n}\n", "lines": 1, "start_line": str(n), "end_line": str(n)}
             for n in range(3)]  # fmt: skip
    nothing = {"is_success": True, "content": "", "lines": 0, "start_line": "2", "end_line": "2"}
    script = {
        INFO: [RUNNING] * 5 + [DONE], NAMES: [{"is_success": True, "log_file_list": ["a.0"]}],
        LOG: [
            pages[0], RESET, RESET, pages[1], *[OUTAGES["a maintenance page"]] * ATTEMPTS,
            *[OUTAGES["a busy service"]] * ATTEMPTS, pages[2], nothing,
        ],
    }  # fmt: skip
    with RawServer(script) as server, at(server.url) as session:
        assert TrainingJob(session, 1, 2).wait(timeout=30).status == 10

    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("line")]
    assert shown == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize(("outage", "limit", "error"), [
    ("no connection", "OUTAGE", errors.ConnectionFailed),
    ("a busy service", "OUTAGE", errors.Unavailable),
    ("keys that are being replaced", "REFUSED", errors.AuthError),
])  # fmt: skip
def test_a_long_outage_is_an_error(
    monkeypatch: pytest.MonkeyPatch, outage: str, limit: str, error: type[Exception]
):
    monkeypatch.setattr(reconnect, limit, 0.3)
    begun = time.monotonic()

    with version(RUNNING, OUTAGES[outage]) as server, at(server.url) as session, pytest.raises(error):
        TrainingJob(session, 1, 2).wait()

    assert 0.3 < time.monotonic() - begun < 3


@pytest.mark.parametrize("outage", [SILENCE, RESET, OUTAGES["a busy service"]], ids=["silence", "reset", "busy"])
def test_the_time_out_is_kept_whatever_the_service_does(outage: Any):
    begun = time.monotonic()

    with (
        version(RUNNING, outage) as server,
        at(server.url, read_timeout=60) as session,
        pytest.raises(errors.JobTimeout, match=r"has not ended yet \(JOBSTAT_RUNNING\)"),
    ):
        TrainingJob(session, 1, 2).wait(timeout=1)

    assert 0.9 < time.monotonic() - begun < 2


def test_the_end_of_a_log_is_not_read_after_a_time_out():
    names = {"is_success": True, "log_file_list": ["a.0"]}
    begun = time.monotonic()

    with (
        RawServer({INFO: [RUNNING], NAMES: [names], LOG: [SILENCE]}) as server,
        at(server.url, read_timeout=60) as session,
        pytest.raises(errors.JobTimeout),
    ):
        TrainingJob(session, 1, 2).wait(timeout=1)

    assert time.monotonic() - begun < 2


def test_the_time_out_of_a_session_limits_reading_the_end_of_a_log(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow, "REST", 0.1)
    failed = {**RUNNING, "status": 11}
    names = {"is_success": True, "log_file_list": ["a.0"]}
    begun = time.monotonic()

    with (
        RawServer({INFO: [failed], NAMES: [names], LOG: [SILENCE]}) as server,
        at(server.url, read_timeout=60, total_timeout=0.3) as session,
        pytest.raises(errors.JobFailed),
    ):
        TrainingJob(session, 1, 2).wait()

    assert time.monotonic() - begun < 3


def test_a_refusal_that_does_not_pass_is_raised_at_once():
    gone = answer("404 Not Found", b'{"is_success": false, "error_code": "ModelArts.0105", "error_message": "no job"}')
    begun = time.monotonic()

    with version(RUNNING, gone) as server, at(server.url) as session, pytest.raises(errors.NotFound, match="no job"):
        TrainingJob(session, 1, 2).wait()

    assert time.monotonic() - begun < 2


# --- how many requests are sent

NOTHING = {"is_success": True, "content": "", "lines": 0, "start_line": "3", "end_line": "3"}


def with_header(body: dict[str, Any]) -> bytes:
    """A reply that claims to have been held back."""
    return reply(body).replace(b"Connection:", b"Preference-Applied: wait=5\r\nConnection:", 1)


@pytest.mark.parametrize("show", [True, False], ids=["with the log", "status only"])
@pytest.mark.parametrize("claim", [with_header, reply], ids=["claims to hold back", "does not hold back"])
def test_a_service_that_returns_nothing_at_once_gets_requests_less_and_less_often(claim: Any, show: bool):
    script = {
        INFO: [claim(RUNNING)], NAMES: [{"is_success": True, "log_file_list": ["a.0"]}], LOG: [claim(NOTHING)],
    }  # fmt: skip

    with RawServer(script) as server, at(server.url) as session, pytest.raises(errors.JobTimeout):
        TrainingJob(session, 1, 2).wait(timeout=1.5, show=show)

    assert 4 < len(server.calls) < 25


def test_without_the_log_only_the_end_of_it_is_read_after_a_failure():
    script = {
        INFO: [RUNNING, {**RUNNING, "status": 11}], NAMES: [{"is_success": True, "log_file_list": ["a.0"]}],
        LOG: [{"is_success": True, "content": "out of memory\n", "lines": 1, "start_line": "0", "end_line": "14"}],
    }  # fmt: skip

    with RawServer(script) as server, at(server.url) as session, pytest.raises(errors.JobFailed, match="out of memory"):
        TrainingJob(session, 1, 2).wait(timeout=30, show=False)

    assert server.calls == [INFO, INFO, NAMES, LOG]


# --- finding the beginning of a log that is there already


class Lines:
    """A log whose positions are numbers of lines, which treats position 0 in one of several ways."""

    def __init__(self, count: int, at_zero: str) -> None:
        self.count, self.at_zero = count, at_zero

    def __call__(self, request: Any) -> Any:
        query = {name: value for name, (value,) in parse_qs(urlsplit(request.url).query).items()}
        base, asc = query.get("base_line"), query["order"] == "asc"
        if base == "0" and self.at_zero != "the beginning":
            if self.at_zero == "a page of HTML":
                return 200, {}, "<html>"
            if self.at_zero == "a refusal":
                return 400, {}, json.dumps({"is_success": False, "error_code": "ModelArts.0104", "error_msg": "base"})
            first = self.count if self.at_zero == "nothing" else self.count - 500
        elif base is None:
            first = self.count - 500
        else:
            first = max(int(base) - 500, 1) if asc else int(base) + 1
        last = min(first + 499, int(base) - 1 if asc and base else self.count)
        content = "".join(f"line {number}\n" for number in range(first, last + 1))
        position = str(max(last, 0)) if content or not base else base
        page = {"content": content, "lines": max(last - first + 1, 0), "start_line": str(first), "end_line": position}
        return 200, {}, json.dumps({"is_success": True, **page})


@pytest.mark.parametrize("at_zero", ["the beginning", "a refusal", "a page of HTML", "nothing", "the newest lines"])
def test_a_complete_log_is_shown_from_its_beginning_whatever_positions_are(
    at_zero: str, capsys: pytest.CaptureFixture[str]
):
    with responses.RequestsMock() as faked, cloud_session() as session:
        version = f"{BASE}/training-jobs/1/versions/2"
        faked.get(version, json=DONE)
        faked.get(f"{version}/log/file-names", json={"is_success": True, "log_file_list": ["a.0"]})
        faked.add_callback("GET", f"{version}/aom-log", Lines(2345, at_zero))

        TrainingJob(session, 1, 2).wait(timeout=30)

    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("line")]
    assert shown == [f"line {number}" for number in range(1, 2346)]
