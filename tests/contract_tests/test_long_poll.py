"""`Prefer: wait=N`: a reply is held back until there is news, and `Preference-Applied` says whether that was done."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from modelarts.local.store.records import Version
from tests.support.environment import Environment

RUNNING, COMPLETED = 8, 10
FIRST_BYTE = b"\xe9"  # begins a character of three bytes


def timed_get(environment: Environment, path: str, wait: int, **query: Any) -> tuple[requests.Response, float]:
    began = time.monotonic()
    reply = environment.send("GET", path, params=query, headers={"Prefer": f"wait={wait}"})
    return reply, time.monotonic() - began


def get_log(environment: Environment, version: Version, wait: int, **query: Any) -> tuple[requests.Response, float]:
    log = {"log_file": environment.log_file(version), "base_line": "7", "order": "desc", **query}
    return timed_get(environment, f"{path_of(version)}/aom-log", wait, **log)


def path_of(version: Version) -> str:
    return f"/training-jobs/{version.job_id}/versions/{version.id}"


def append(environment: Environment, version: Version, data: bytes) -> None:
    with environment.service.home.job(version.id).log(0).open("ab") as log:
        log.write(data)


@pytest.mark.parametrize("tail", [b"", FIRST_BYTE, "训".encode()[:2], "😀".encode()[:3]])
def test_a_reply_is_held_back_while_the_log_ends_within_a_character(environment: Environment, tail: bytes) -> None:
    version = environment.version(RUNNING, log=b"a line\n" + tail)

    reply, seconds = get_log(environment, version, 1)

    assert (reply.json()["content"], reply.json()["end_line"]) == ("", "7")
    assert reply.headers["Preference-Applied"] == "wait=1"
    assert seconds >= 1


def test_the_reply_is_sent_when_the_character_is_complete(environment: Environment) -> None:
    version = environment.version(RUNNING, log=b"a line\n" + "训".encode()[:2])
    writing = threading.Timer(0.3, append, [environment, version, "训".encode()[2:]])
    writing.start()

    reply, seconds = get_log(environment, version, 20)

    writing.join()
    assert (reply.json()["content"], reply.json()["end_line"]) == ("训", "10")
    assert reply.headers["Preference-Applied"] == "wait=20"
    assert seconds < 10


@pytest.mark.parametrize("route", ["aom-log", "log"])
def test_an_incomplete_character_at_the_end_is_replaced(environment: Environment, route: str) -> None:
    version = environment.version(COMPLETED, log=b"caf" + FIRST_BYTE)
    query = {"base_line": "0", "order": "desc"} if route == "aom-log" else {}
    query["log_file"] = environment.log_file(version)

    reply, seconds = timed_get(environment, f"{path_of(version)}/{route}", 20, **query)

    assert reply.json().get("content", reply.json().get("log")) == "caf\ufffd"
    assert "Preference-Applied" not in reply.headers
    assert seconds < 10


def test_the_reply_is_sent_when_the_version_ends(environment: Environment) -> None:
    version = environment.version(RUNNING, log=b"a line\n" + FIRST_BYTE)
    ending = threading.Timer(0.3, environment.put, [version.job_id, version.id, COMPLETED])
    ending.start()

    reply, seconds = get_log(environment, version, 20)

    ending.join()
    assert reply.json()["content"] == "\ufffd"
    assert seconds < 10


@pytest.mark.parametrize("base_line", ["0", "1000"])
def test_a_reply_with_text_is_sent_at_once(environment: Environment, base_line: str) -> None:
    version = environment.version(RUNNING, log="a line\n")

    reply, seconds = get_log(environment, version, 20, base_line=base_line)

    assert reply.json()["content"] == "a line\n"
    assert seconds < 10


@pytest.mark.parametrize("route", ["", "/aom-log"])
def test_a_request_without_lines_waits_for_the_status(environment: Environment, route: str) -> None:
    version = environment.version(RUNNING, log="a line\n")
    query = {"log_file": environment.log_file(version), "lines": "0"} if route else {}

    reply, seconds = timed_get(environment, path_of(version) + route, 1, **query)
    assert reply.headers["Preference-Applied"] == "wait=1"
    assert seconds >= 1

    ending = threading.Timer(0.3, environment.put, [version.job_id, version.id, COMPLETED])
    ending.start()
    reply, seconds = timed_get(environment, path_of(version) + route, 20, **query)
    ending.join()
    assert reply.json().get("status", COMPLETED) == COMPLETED
    assert seconds < 10


def test_a_version_deleted_meanwhile_is_reported(environment: Environment) -> None:
    version = environment.version(RUNNING)
    environment.store.jobs.delete(version.job_id)

    ending = threading.Timer(0.3, environment.store.jobs.transition, [version.id, range(23), COMPLETED])
    ending.start()
    reply, seconds = timed_get(environment, path_of(version), 20)

    ending.join()
    assert reply.status_code == 404
    assert seconds < 10


def test_the_header_is_missing_where_the_preference_is_not_applied(environment: Environment) -> None:
    running, ended = environment.version(RUNNING, log="a line\n"), environment.version(COMPLETED, log="a line\n")
    for reply, seconds in (
        timed_get(environment, "/training-jobs", 20),
        timed_get(environment, path_of(ended), 20),
        get_log(environment, ended, 20),
        get_log(environment, running, 20, order="asc"),
        get_log(environment, running, 0),
    ):
        assert reply.status_code == 200
        assert "Preference-Applied" not in reply.headers
        assert seconds < 10


@pytest.mark.parametrize(
    ("status", "query", "is_complete"),
    [
        (RUNNING, {"order": "desc"}, False),
        (COMPLETED, {"order": "desc"}, True),
        (COMPLETED, {"order": "desc", "base_line": "0", "lines": "1"}, False),
        (COMPLETED, {"order": "desc", "base_line": "7", "lines": "1"}, True),
        (COMPLETED, {"order": "asc"}, False),
    ],
    ids=["running", "ended", "first line", "last line", "backward"],
)
def test_a_reply_says_whether_the_log_has_been_read_completely(
    environment: Environment, status: int, query: dict[str, str], is_complete: bool
) -> None:
    version = environment.version(status, log=b"1 line\n2 lines\n")
    log = {"log_file": environment.log_file(version), **query}

    assert environment.send("GET", f"{path_of(version)}/aom-log", params=log).json()["is_complete"] is is_complete
