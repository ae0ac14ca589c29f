"""`Prefer: wait=N`: a reply is held back until there is news, and `Preference-Applied` says whether that was done."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from modelarts.local.store.records import Version
from tests.support.environment import World

RUNNING, COMPLETED = 8, 10
FIRST_BYTE = b"\xe9"  # begins a character of three bytes


def timed_get(world: World, path: str, wait: int, **query: Any) -> tuple[requests.Response, float]:
    began = time.monotonic()
    reply = world.send("GET", path, params=query, headers={"Prefer": f"wait={wait}"})
    return reply, time.monotonic() - began


def get_log(world: World, version: Version, wait: int, **query: Any) -> tuple[requests.Response, float]:
    log = {"log_file": world.log_file(version), "base_line": "7", "order": "desc", **query}
    return timed_get(world, f"{path_of(version)}/aom-log", wait, **log)


def path_of(version: Version) -> str:
    return f"/training-jobs/{version.job_id}/versions/{version.id}"


def append(world: World, version: Version, data: bytes) -> None:
    with world.service.home.job(version.id).log(0).open("ab") as log:
        log.write(data)


@pytest.mark.parametrize("tail", [b"", FIRST_BYTE, "训".encode()[:2], "😀".encode()[:3]])
def test_a_log_is_awaited_while_it_ends_within_a_character(world: World, tail: bytes) -> None:
    version = world.version(RUNNING, log=b"a line\n" + tail)

    reply, seconds = get_log(world, version, 1)

    assert (reply.json()["content"], reply.json()["end_line"]) == ("", "7")
    assert reply.headers["Preference-Applied"] == "wait=1"
    assert seconds >= 1


def test_the_reply_comes_when_the_character_is_complete(world: World) -> None:
    version = world.version(RUNNING, log=b"a line\n" + "训".encode()[:2])
    writing = threading.Timer(0.3, append, [world, version, "训".encode()[2:]])
    writing.start()

    reply, seconds = get_log(world, version, 20)

    writing.join()
    assert (reply.json()["content"], reply.json()["end_line"]) == ("训", "10")
    assert reply.headers["Preference-Applied"] == "wait=20"
    assert 0.2 < seconds < 10


@pytest.mark.parametrize("route", ["aom-log", "log"])
def test_an_incomplete_character_at_the_end_of_an_ended_version_is_replaced(world: World, route: str) -> None:
    version = world.version(COMPLETED, log=b"caf" + FIRST_BYTE)
    query = {"base_line": "0", "order": "desc"} if route == "aom-log" else {}

    reply, seconds = timed_get(world, f"{path_of(version)}/{route}", 20, log_file=world.log_file(version), **query)

    assert reply.json().get("content", reply.json().get("log")) == "caf\ufffd"
    assert "Preference-Applied" not in reply.headers
    assert seconds < 10


def test_the_reply_about_a_log_comes_when_the_version_ends(world: World) -> None:
    version = world.version(RUNNING, log=b"a line\n" + FIRST_BYTE)
    ending = threading.Timer(0.3, world.put, [version.job_id, version.id, COMPLETED])
    ending.start()

    reply, seconds = get_log(world, version, 20)

    ending.join()
    assert reply.json()["content"] == "\ufffd"
    assert seconds < 10


@pytest.mark.parametrize("base_line", ["0", "1000"])
def test_a_reply_with_text_comes_at_once(world: World, base_line: str) -> None:
    version = world.version(RUNNING, log="a line\n")

    reply, seconds = get_log(world, version, 20, base_line=base_line)

    assert reply.json()["content"] == "a line\n"
    assert seconds < 10


@pytest.mark.parametrize("route", ["", "/aom-log"])
def test_a_client_that_wants_no_lines_waits_for_the_status(world: World, route: str) -> None:
    version = world.version(RUNNING, log="a line\n")
    query = {"log_file": world.log_file(version), "lines": "0"} if route else {}

    reply, seconds = timed_get(world, path_of(version) + route, 1, **query)
    assert reply.headers["Preference-Applied"] == "wait=1"
    assert seconds >= 1

    ending = threading.Timer(0.3, world.put, [version.job_id, version.id, COMPLETED])
    ending.start()
    reply, seconds = timed_get(world, path_of(version) + route, 20, **query)
    ending.join()
    assert reply.json().get("status", COMPLETED) == COMPLETED
    assert seconds < 10


def test_a_version_deleted_meanwhile_is_reported(world: World) -> None:
    version = world.version(RUNNING)
    world.store.jobs.delete(version.job_id)

    ending = threading.Timer(0.3, world.store.jobs.transition, [version.id, range(23), COMPLETED])
    ending.start()
    reply, seconds = timed_get(world, path_of(version), 20)

    ending.join()
    assert reply.status_code == 404
    assert seconds < 10


def test_the_header_is_missing_where_nothing_is_awaited(world: World) -> None:
    running, ended = world.version(RUNNING, log="a line\n"), world.version(COMPLETED, log="a line\n")
    for reply, seconds in (
        timed_get(world, "/training-jobs", 20),
        timed_get(world, path_of(ended), 20),
        get_log(world, ended, 20),
        get_log(world, running, 20, order="asc"),
        get_log(world, running, 0),
    ):
        assert reply.status_code == 200
        assert "Preference-Applied" not in reply.headers
        assert seconds < 10
