"""Any request gets a response of a documented shape; a refused one changes nothing, an accepted one can be read.

Examples are the same in every run. To look further, try more of them (EXAMPLES=500, in percent) and leave `derandomize`
out of `STABLE`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelarts._wire.v1.routes import BY_OPERATION
from tests.support.hypothesis_examples import part_of
from tests.support.json_paths import places_in, replaced
from tests.support.rest import OPERATIONS, WITH_BODY, WITH_QUERY, fields_of
from tests.support.target import Target, assert_valid_reply

STABLE = settings(derandomize=True, database=None, deadline=None, max_examples=part_of(80))
READING = [operation for operation, row in OPERATIONS.items() if row["method"] == "GET"]
_QUERIES = [field for operation in WITH_QUERY for field in fields_of(operation, "query_params")]
OF_OTHERS = sorted({"sort_by", "unknown", *(field["name"] for field in _QUERIES)})
DOCUMENTED = sorted({str(value) for field in _QUERIES for value in field["constraint"].get("enum", ())})
PLACED = [operation for operation, row in OPERATIONS.items() if len(row["path_params"]) > 1]

HOSTILE: st.SearchStrategy[Any] = st.sampled_from([
    "", " ", "\0", "a\0b", "\n", "\x7f", "\u2028", "\ufffe", "ä" * 300, "\U0001f600", "..", "/..", "/bucket/../x", "//",
    "/", "/b", "/ /", "/bucket", "obs://", "s3://bucket/x", "/bucket/" + "x" * 300 + "/", "/bucket/a//b", "/bucket/\n/",
    "%00", "%s{}", "'; DROP TABLE jobs; --", "1", "-1", "1e999", 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63),
    2**64, 10**30, 0.5, -0.0, 1e308, True, False, None, [], {}, [[]], [{}], [None], {"": ""}, {"type": "obs"},
    {"code": None},
])  # fmt: skip
TEXTS = st.text(max_size=20)  # without unpaired surrogates
JSON = st.recursive(
    HOSTILE | TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("operation", WITH_BODY)
def test_valid_bodies_with_any_values_in_them_get_a_documented_response(target: Target, operation: str) -> None:
    known = [(field["name"],) for field in fields_of(operation, "request_body")]

    @STABLE
    @given(st.data())
    def check(data: st.DataObject) -> None:
        body = {**dict.fromkeys((name for (name,) in known), None), **target.body(operation)}
        for _ in range(data.draw(st.integers(1, 3), "changes")):
            place = data.draw(st.sampled_from([*places_in(body), ("unknown",), ("enable_check",)]), "place")
            body = replaced({"unknown": None, "enable_check": None, **body}, place, data.draw(JSON, "value"))
        before = target.environment.changes()
        assert_valid_reply(target, operation, target.send(operation, json.dumps(body).encode()), before)

    check()


@pytest.mark.parametrize("operation", WITH_BODY)
def test_any_bytes_and_any_json_get_a_documented_response(target: Target, operation: str) -> None:
    @STABLE
    @given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
    def check(data: bytes) -> None:
        before = target.environment.changes()
        assert_valid_reply(target, operation, target.send(operation, data), before)

    check()


@pytest.mark.parametrize("operation", READING)
def test_any_query_gets_a_documented_response(target: Target, operation: str) -> None:
    own = [field["name"] for field in fields_of(operation, "query_params")]
    names = [*own, *own, *OF_OTHERS]  # its own ones more often than those of other operations
    values = HOSTILE.map(str) | TEXTS | st.integers().map(str) | st.sampled_from([*DOCUMENTED, "8|9|"])
    needed = {"log_file": target.log_file} if "log_file" in own else {}
    route = BY_OPERATION[operation]

    @STABLE
    @given(st.dictionaries(st.sampled_from(names), values, max_size=4))
    def check(query: dict[str, str]) -> None:
        before = target.environment.changes()
        url = route.url("", project_id="local", **target.path(operation))
        assert_valid_reply(target, operation, target.environment.send("GET", url, params={**needed, **query}), before)

    check()


@pytest.mark.parametrize("operation", PLACED)
def test_any_path_gets_a_documented_response(target: Target, operation: str) -> None:
    route, right = BY_OPERATION[operation], target.path(operation)
    values = (
        HOSTILE.map(str) | TEXTS | st.integers().map(str) | st.sampled_from(["1", "01", "+1", "1.0", "１", "²"])
    ).filter(lambda value: value not in ("", ".", "..") and "/" not in value)  # WSGI takes %2F for a slash

    @STABLE
    @given(st.fixed_dictionaries({name: values | st.just(value) for name, value in right.items()}))
    def check(path: dict[str, Any]) -> None:
        if path == right:
            return  # it would delete or stop what other examples need
        before = target.environment.changes()
        parts = {name: quote(str(value), safe="") for name, value in path.items()}
        url = route.path.format(project_id="local", **parts)
        reply = target.environment.send(route.method, url, target.body(operation) if operation in WITH_BODY else None)
        assert_valid_reply(target, operation, reply, before)

    check()
