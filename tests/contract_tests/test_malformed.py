"""Malformed requests are refused in the documented shape, and change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelarts._wire.v1.routes import BY_OPERATION
from tests.support.environment import over_a_socket
from tests.support.json_paths import at, places_in, replaced
from tests.support.rest import WITH_BODY, failure_faults
from tests.support.target import Target, assert_rejected, assert_valid_reply

NO_JSON = [
    b"", b" ", b"{", b"}", b"[1, 2", b"nul", b"{'job_desc': 'd'}", b'{"job_desc": "d",}', b"{}{}", b"\x00", b"{}\x00",
    b"\xff\xfe", '{"job_desc": "d"}'.encode("utf-16"), '{"job_desc": "ä"}'.encode("latin-1"), b'{"job_desc": "\x01"}',
    b'{"job_desc": "\xed\xa0\x80"}', b'{"job_desc": "\\x"}', b'{"job_desc": "\\u12"}', b"[" * 100_000,
    b'{"a":' * 100_000, b'{"job_desc": 01}', b'{"job_desc": .5}', b"job_desc=d", b"<job_desc>d</job_desc>",
]  # fmt: skip
NO_OBJECT = [b"null", b"true", b"5", b'"text"', b"[]", b'[{"job_desc": "d"}]', b"9" * 5000, b"-" + b"9" * 5000]


@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_that_is_not_a_json_object_is_refused(target: Target, operation: str) -> None:
    for data in (*NO_JSON, *NO_OBJECT):
        assert_rejected(target, operation, data)


@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000], ids=lambda text: text[:9])
def test_numbers_that_json_does_not_have_are_refused(target: Target, operation: str, number: str) -> None:
    for member in ("job_desc", "unknown"):
        body = json.dumps(target.body(operation))
        assert_rejected(target, operation, f'{{"{member}": {number}, {body[1:]}'.encode())


@pytest.mark.parametrize("operation", WITH_BODY)
def test_members_that_occur_twice_are_refused(target: Target, operation: str) -> None:
    body = target.body(operation)
    text = json.dumps(body)
    assert_rejected(target, operation, f"{text[:-1]}, {text[1:]}".encode())
    if "config" in body:
        config = json.dumps(body["config"])
        assert_rejected(target, operation, text.replace(config, f"{config[:-1]}, {config[1:]}").encode())


@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"], ids=ascii)
def test_texts_that_cannot_be_encoded_are_refused(target: Target, operation: str, text: str) -> None:
    body = {**target.body(operation), "unknown": ["text"]}
    for place in places_in(body):
        if isinstance(at(body, place), str):
            assert_rejected(target, operation, json.dumps(replaced(body, place, text)).encode())
    assert_rejected(target, operation, json.dumps({**body, text: 1}).encode())


@pytest.mark.parametrize("operation", WITH_BODY)
def test_bodies_that_are_nested_too_deeply_are_refused(target: Target, operation: str) -> None:
    body = json.dumps({**target.body(operation), "unknown": "#"})
    for depth in (*range(65, 200, 15), *range(200, 3000, 97)):
        for begin, end in (("[", "]"), ('{"a":', "}")):
            assert_rejected(target, operation, body.replace('"#"', begin * depth + "1" + end * depth).encode())


@pytest.mark.parametrize("operation", WITH_BODY)
def test_bodies_beyond_the_limit_are_refused_unread(target: Target, operation: str) -> None:
    assert_rejected(target, operation, b"{" + b" " * (12 * 1024 * 1024), 413)


@pytest.mark.parametrize("operation", WITH_BODY)
def test_unknown_members_are_ignored(target: Target, operation: str) -> None:
    unknown = {"unknown": {"a": [None, 1.5]}, "": "", "ä": True, "config_type": 5, "__class__": 1}
    body = {**target.body(operation), **unknown}
    before = target.environment.changes()

    reply = target.send(operation, json.dumps(body).encode())

    assert reply.status_code == 200, reply.text
    assert_valid_reply(target, operation, reply, before)


# --- well-formed but unusual

PATHS = [
    "/bucket", "/bucket/", "/b", "/bucket/" + "x" * 300 + "/", "/bucket/" + "a/" * 3000, "/bucket/file/",
    "/bucket/file", "/bucket/folder/", "/bucket/a//b", "/bucket/\n/", "/bucket/ä \U0001f600/", "/bucket/%00/",
    "/bucket/{}$HOME`id`/",
    "obs:/bucket/x/", "obs://bucket/x/", "S3://bucket/x/", "//bucket/x/", "/ /x/", "/~/", "/bucket/ x/",
]  # fmt: skip


@pytest.mark.parametrize("member", ["app_url", "data_url", "train_url", "log_url"])
def test_paths_of_all_kinds_get_a_documented_response(target: Target, member: str) -> None:
    bucket = target.environment.service.home.buckets / "bucket"
    (bucket / "file").write_text("no folder")
    (bucket / "folder" / "metric.json").mkdir(parents=True, exist_ok=True)
    for path in PATHS:
        body = target.body("create_training_job")
        body["config"][member] = path
        if member == "app_url":
            body["config"]["boot_file_url"] = f"{path.rstrip('/')}/train.py"
        before = target.environment.changes()
        reply = target.send("create_training_job", json.dumps(body).encode())
        assert_valid_reply(target, "create_training_job", reply, before)


@pytest.mark.parametrize(
    "query",
    ["%ff=%ff", "per_page=%00", "per_page=1&per_page=x", "&&==&", "page=1%", "search_content=%ed%a0%80", "a" * 9000,
     "status=" + "8|" * 20_000 + "8", "sortBy=job_name&sort_by=status"],
    ids=lambda query: query[:30],
)  # fmt: skip
def test_queries_of_all_kinds_get_a_documented_response(target: Target, query: str) -> None:
    before = target.environment.changes()
    reply = target.environment.send("GET", f"/training-jobs?{query}")
    assert_valid_reply(target, "list_training_jobs", reply, before)


HEADERS = {
    "Prefer": ["wait", "wait=", "wait=99999999999", "wait=-1", "wait=²", "wait=0", "respond-async, wait=1e9", "\xff"],
    "Content-Type": ["text/plain", "application/json; charset=utf-16", "multipart/form-data", "\xff", 'a/b;c="'],
    "Content-Encoding": ["gzip", "x"],
    "X-HTTP-Method-Override": ["DELETE"],
    "Accept": ["text/html", "\xff"],
    "Cookie": ["a=b; c", "\xff=\xff"],
    "Range": ["bytes=0-1"],
    "If-Match": ["*"],
    "Expect": ["nothing"],
    "Transfer-Encoding": ["nothing"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_all_kinds_get_a_documented_response(target: Target, name: str) -> None:
    operation = "update_training_job_description"
    for value in HEADERS[name]:
        before = target.environment.changes()
        path = BY_OPERATION[operation].url("", project_id="local", **target.path(operation))
        reply = target.environment.send("PUT", path, {"job_desc": "d"}, headers={name: value.encode("latin-1")})
        assert_valid_reply(target, operation, reply, before)


def test_chunked_bodies_are_read_and_limited_alike(tmp_path: Path) -> None:
    with over_a_socket(tmp_path) as environment:
        target = Target.of(environment)
        path, before = f"/training-jobs/{target.job_id}", environment.changes()

        assert environment.send("PUT", path, data=iter([b'{"job_', b'desc": ', b'"d"}'])).json() == {"is_success": True}
        assert environment.changes() != before
        before = environment.changes()
        for pieces, status in (([b'{"job_desc": '], 400), ([b" " * 2**20] * 13, 413)):
            reply = environment.send("PUT", path, data=iter(pieces))
            assert (reply.status_code, failure_faults(reply.status_code, reply.json())) == (status, [])
        assert environment.changes() == before
