"""Every documented refusal comes back with its code and in the documented shape."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import requests

from modelarts._wire.v1.routes import ROUTES, Route
from modelarts._wire.v1.status import JOB_STATE
from tests.support.environment import ANY, BODY, PROJECT, Lane, World
from tests.support.rest import OPERATIONS, REST, refusal_faults, samples

NONE = 999_999_999  # an id that nothing has
Request = dict[str, Any]

# --- the failure samples: of each operation, a request that is refused with the code of its sample


def _taken_job(world: World) -> Request:
    world.call("create_training_job", body={"job_name": "TestModelArtsJob", "config": BODY})
    return {"body": {"job_name": "TestModelArtsJob", "config": BODY}}


def _taken_visualization(world: World) -> Request:
    row = world.visualization()
    return {"body": {"job_name": row.name, "train_url": "/bucket/output/"}}


def _job(world: World) -> Request:
    return {"path": {"job_id": NONE}}


def _version(world: World) -> Request:
    return {"path": {"job_id": world.version().job_id, "version_id": NONE}}


def _config(world: World) -> Request:
    return {"path": {"config_name": "no-such-config"}}


REFUSED: dict[str, Callable[[World], Request]] = {
    "get_training_job_config": _config,
    "update_training_job_config": lambda world: {**_config(world), "body": BODY},
    "delete_training_job_config": _config,
    "create_training_job": _taken_job,
    "update_training_job_description": lambda world: {**_job(world), "body": {"job_desc": "d"}},
    "delete_training_job": _job,
    "create_training_job_version": lambda world: {**_job(world), "body": {"config": {**BODY, "pre_version_id": 1}}},
    "list_training_job_versions": _job,
    "get_training_job_version": _version,
    "stop_training_job_version": _version,
    "delete_training_job_version": _version,
    "list_training_job_log_files": _version,
    "get_training_job_log": lambda world: {**_version(world), "query": {"log_file": "job-n.0"}},
    "get_training_job_log_bytes": lambda world: {**_version(world), "query": {"log_file": "job-n.0"}},
    "create_visualization_job": _taken_visualization,
    # These two samples speak of other calls: of the search in lists, and of the name in the creating call (SAMPLEVAL).
    "get_visualization_job": lambda world: {"path": {"job_id": "no number"}},
    "update_visualization_job_description": lambda world: {
        "path": {"job_id": world.visualization().id}, "body": {"job_desc": "d" * 257},
    },
    "delete_visualization_job": lambda world: {"path": {"job_id": world.visualization(9).id}},
    "stop_visualization_job": lambda world: {"path": {"job_id": world.visualization(10).id}},
    "restart_visualization_job": lambda world: {"path": {"job_id": world.visualization(8).id}},
}  # fmt: skip
# Their samples print a code for a state or a name ("Error string"); these calls name nothing that could have one.
NAMELESS: dict[str, Request] = {
    "create_training_job_config": {"body": {}},
    "list_training_job_configs": {"query": {"order": "up"}},
    "list_training_jobs": {"query": {"order": "up"}},
    "list_built_in_algorithms": {"query": {"order": "up"}},
    "list_visualization_jobs": {"query": {"order": "up"}},
    "list_job_resource_specs": {"query": {"job_type": "none"}},
    "list_job_engines": {"query": {"job_type": "none"}},
}


def test_every_operation_is_here() -> None:
    assert set(REFUSED) | set(NAMELESS) == set(OPERATIONS)


@pytest.mark.parametrize("operation", REFUSED)
def test_a_printed_refusal_comes_back(lane: Lane, operation: str) -> None:
    reply = lane.call(operation, **REFUSED[operation](lane.world))

    (code,) = {sample["body"]["error_code"] for sample in samples(operation, "responses_failure")}
    assert reply.members.get("error_code") == code
    assert refusal_faults(reply.status, reply.members, folded=not lane.is_raw) == []
    texts = [sample["body"].get("error_message", "") for sample in samples(operation, "responses_failure")]
    if any("This job" in text or "is existed" in text for text in texts):
        assert reply.members["error_msg"] in texts


@pytest.mark.parametrize("operation", NAMELESS)
def test_a_call_that_names_nothing_is_refused_for_its_values_only(lane: Lane, operation: str) -> None:
    reply = lane.call(operation, **NAMELESS[operation])

    assert reply.members.get("error_code") == "ModelArts.0104"
    assert refusal_faults(reply.status, reply.members, folded=not lane.is_raw) == []


def test_an_illegal_name_is_refused_in_the_printed_words(lane: Lane) -> None:
    (sample,) = samples("update_visualization_job_description", "responses_failure")

    reply = lane.call("create_visualization_job", body={"job_name": "%%123", "train_url": "/bucket/output/"})

    assert reply.members["error_code"] == sample["body"]["error_code"]
    assert reply.members["error_msg"].startswith(sample["body"]["error_message"])


# --- states

RULES = {row["operation"]: row for row in REST["state_rules_from_samples"]}
# Queued ones may be stopped too, where the documents only speak of running ones.
STOPPED_TOO = [1, 7]


@pytest.mark.parametrize("status", ANY, ids=JOB_STATE)
def test_versions_are_stopped_only_in_the_states_that_allow_it(world: World, status: int) -> None:
    version = world.version(status)
    path = {"job_id": version.job_id, "version_id": version.id}

    reply = world.call("stop_training_job_version", path)

    if status in [*RULES["stop_training_job_version"]["allowed_in_status"], *STOPPED_TOO]:
        assert reply.members == {"is_success": True}
        after = world.store.jobs.version(version.job_id, version.id)
        assert after is not None and after.status == (9 if status == 8 else 12)
    else:
        assert (reply.members["error_code"], refusal_faults(reply.status, reply.members)) == ("ModelArts.0105", [])
        assert world.store.jobs.version(version.job_id, version.id) == version


VIEWER_STATES = (1, 8, 9, 10, 11, 12)


@pytest.mark.parametrize("operation", [operation for operation in RULES if "visualization" in operation])
def test_visualization_jobs_refuse_in_the_states_of_the_samples(world: World, operation: str) -> None:
    refused = set()
    for status in VIEWER_STATES:
        row = world.visualization(status)
        reply = world.call(operation, {"job_id": row.id})
        if reply.status != 200:
            refused.add(status)
            assert (reply.members["error_code"], refusal_faults(reply.status, reply.members)) == ("ModelArts.0105", [])
            assert world.store.visualizations.get(row.id) == row

    assert refused >= set(RULES[operation]["refused_in_status"])
    assert refused == {"delete": {9}, "stop": {9, 10, 11, 12}, "restart": {1, 8, 9}}[operation.partition("_")[0]]


# --- who may call, and what


def _path(route: Route, project_id: str = PROJECT) -> str:
    return route.url("", project_id=project_id, job_id=1, version_id=1, config_name="c")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
@pytest.mark.parametrize(
    ("headers", "project_id", "status", "code"),
    [
        ({"X-Auth-Token": None}, PROJECT, 401, "ModelArts.0201"),
        ({"X-Auth-Token": ""}, PROJECT, 401, "ModelArts.0201"),
        ({"X-Auth-Token": "another"}, PROJECT, 401, "ModelArts.0203"),
        ({"X-Auth-Token": "\xff".encode("latin-1")}, PROJECT, 401, "ModelArts.0203"),
        ({}, "another", 403, "ModelArts.0210"),
        ({"Host": "example.com"}, PROJECT, 403, "ModelArts.0108"),
        ({"Host": "127.0.0.1.example.com:80"}, PROJECT, 403, "ModelArts.0108"),
    ],
    ids=["no token", "empty token", "wrong token", "token in latin-1", "project", "host", "host like ours"],
)  # fmt: skip
def test_whoever_may_not_call_is_refused_before_anything_else(
    world: World, route: Route, headers: dict[str, Any], project_id: str, status: int, code: str
) -> None:
    before = world.changes()

    reply = world.send(route.method, _path(route, project_id), data=b"{", headers=headers)

    assert (reply.status_code, reply.json()["error_code"]) == (status, code)
    assert refusal_faults(reply.status_code, reply.json()) == []
    assert world.changes() == before


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "no-such-method")


@pytest.mark.parametrize("path", sorted({_path(route) for route in ROUTES}))
def test_methods_that_no_document_lists_are_refused(each_world: World, path: str) -> None:
    listed = {route.method for route in ROUTES if _path(route) == path}
    for method in METHODS:
        if method in listed or (method == "HEAD" and "GET" in listed):
            continue

        reply = each_world.send(method, path)

        assert reply.status_code == 405, (method, reply.text)
        assert method == "HEAD" or refusal_faults(405, reply.json()) == []
        assert {one.strip() for one in reply.headers["Allow"].split(",")} - {"HEAD"} == listed


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/local", "/v1/local/", "/v1/local/training-jobs/1/2", "/v2/local/training-jobs",
     "/v1/local/training-jobs/1/versions/1/log/", "/v1/local//training-jobs", "/v1/local/training-jobs/1/..",
     "/v1/%6cocal/%00", "/%ff%fe", "/v1/local/training-job-configs/a%2Fb", "/" + "a" * 20_000],
)  # fmt: skip
def test_paths_that_no_document_lists_are_refused(each_world: World, path: str) -> None:
    request = requests.Request("POST", each_world.url + path, headers={"X-Auth-Token": "the token of this service"})
    prepared = request.prepare()
    prepared.url = each_world.url + path  # not tidied up

    reply = each_world.raw.send(prepared)

    assert reply.status_code in (404, 405)
    assert refusal_faults(reply.status_code, reply.json()) == []
