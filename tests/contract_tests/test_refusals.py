"""Every documented failure has its code and the documented shape."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import requests

from modelarts._wire.v1.routes import ROUTES, Route
from tests.support.environment import ANY, BODY, PROJECT, ApiClient, Environment
from tests.support.rest import OPERATIONS, REST, failure_faults, samples

NONE = 999_999_999  # an id that does not exist
Request = dict[str, Any]

# --- the failure samples: of each operation, a request that is refused with the code of its sample


def _taken_job(environment: Environment) -> Request:
    environment.call("create_training_job", body={"job_name": "TestModelArtsJob", "config": BODY})
    return {"body": {"job_name": "TestModelArtsJob", "config": BODY}}


def _taken_visualization(environment: Environment) -> Request:
    row = environment.visualization()
    return {"body": {"job_name": row.name, "train_url": "/bucket/output/"}}


def _job(environment: Environment) -> Request:
    return {"path": {"job_id": NONE}}


def _version(environment: Environment) -> Request:
    return {"path": {"job_id": environment.version().job_id, "version_id": NONE}}


def _config(environment: Environment) -> Request:
    return {"path": {"config_name": "no-such-config"}}


REFUSED: dict[str, Callable[[Environment], Request]] = {
    "get_training_job_config": _config,
    "update_training_job_config": lambda environment: {**_config(environment), "body": BODY},
    "delete_training_job_config": _config,
    "create_training_job": _taken_job,
    "update_training_job_description": lambda environment: {**_job(environment), "body": {"job_desc": "d"}},
    "delete_training_job": _job,
    "create_training_job_version": lambda environment: {
        **_job(environment), "body": {"config": {**BODY, "pre_version_id": 1}},
    },
    "list_training_job_versions": _job,
    "get_training_job_version": _version,
    "stop_training_job_version": _version,
    "delete_training_job_version": _version,
    "list_training_job_log_files": _version,
    "get_training_job_log": lambda environment: {**_version(environment), "query": {"log_file": "job-n.0"}},
    "get_training_job_log_bytes": lambda environment: {**_version(environment), "query": {"log_file": "job-n.0"}},
    "create_visualization_job": _taken_visualization,
    # These two samples belong to other calls: of the search in lists, and of the name in the creating call (SAMPLEVAL).
    "get_visualization_job": lambda environment: {"path": {"job_id": "no number"}},
    "update_visualization_job_description": lambda environment: {
        "path": {"job_id": environment.visualization().id}, "body": {"job_desc": "d" * 257},
    },
    "delete_visualization_job": lambda environment: {"path": {"job_id": environment.visualization(9).id}},
    "stop_visualization_job": lambda environment: {"path": {"job_id": environment.visualization(10).id}},
    "restart_visualization_job": lambda environment: {"path": {"job_id": environment.visualization(8).id}},
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


def test_the_failure_samples_are_reproduced(client: ApiClient) -> None:
    for operation, request_of in REFUSED.items():
        reply = client.call(operation, **request_of(client.environment))

        (code,) = {sample["body"]["error_code"] for sample in samples(operation, "responses_failure")}
        assert reply.members.get("error_code") == code, operation
        assert failure_faults(reply.status, reply.members, folded=not client.is_raw) == [], operation
        texts = [sample["body"].get("error_message", "") for sample in samples(operation, "responses_failure")]
        if any("This job" in text or "is existed" in text for text in texts):
            assert reply.members["error_msg"] in texts, operation


def test_a_call_without_names_is_refused_only_for_its_values(client: ApiClient) -> None:
    for operation, request in NAMELESS.items():
        reply = client.call(operation, **request)

        assert reply.members.get("error_code") == "ModelArts.0104", operation
        assert failure_faults(reply.status, reply.members, folded=not client.is_raw) == [], operation


def test_an_illegal_name_is_refused_with_the_documented_message(client: ApiClient) -> None:
    (sample,) = samples("update_visualization_job_description", "responses_failure")

    reply = client.call("create_visualization_job", body={"job_name": "%%123", "train_url": "/bucket/output/"})

    assert reply.members["error_code"] == sample["body"]["error_code"]
    assert reply.members["error_msg"].startswith(sample["body"]["error_message"])


# --- states

RULES = {row["operation"]: row for row in REST["state_rules_from_samples"]}
# Queued ones may be stopped too, where the documents only speak of running ones.
STOPPED_TOO = [1, 7]


def test_versions_can_be_stopped_only_in_some_states(environment: Environment) -> None:
    for status in ANY:
        version = environment.version(status)

        reply = environment.call("stop_training_job_version", {"job_id": version.job_id, "version_id": version.id})

        found = reply.members.get("error_code"), environment.store.jobs.version(version.job_id, version.id)
        if status in [*RULES["stop_training_job_version"]["allowed_in_status"], *STOPPED_TOO]:
            assert reply.members == {"is_success": True}, status
            assert found[1] is not None and found[1].status == (9 if status == 8 else 12), status
        else:
            assert found == ("ModelArts.0105", version), status
            assert failure_faults(reply.status, reply.members) == [], status


VIEWER_STATES = (1, 8, 9, 10, 11, 12)


@pytest.mark.parametrize("operation", [operation for operation in RULES if "visualization" in operation])
def test_visualization_jobs_refuse_calls_in_the_states_of_the_samples(environment: Environment, operation: str) -> None:
    refused = set()
    for status in VIEWER_STATES:
        row = environment.visualization(status)
        reply = environment.call(operation, {"job_id": row.id})
        if reply.status != 200:
            refused.add(status)
            assert (reply.members["error_code"], failure_faults(reply.status, reply.members)) == ("ModelArts.0105", [])
            assert environment.store.visualizations.get(row.id) == row

    assert refused >= set(RULES[operation]["refused_in_status"])
    assert refused == {"delete": {9}, "stop": {9, 10, 11, 12}, "restart": {1, 8, 9}}[operation.partition("_")[0]]


# --- credentials, methods and paths


def _path(route: Route, project_id: str = PROJECT) -> str:
    return route.url("", project_id=project_id, job_id=1, version_id=1, config_name="c")


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
def test_a_request_without_valid_credentials_is_refused_first(
    environment: Environment, headers: dict[str, Any], project_id: str, status: int, code: str
) -> None:
    before = environment.changes()

    for route in ROUTES:
        reply = environment.send(route.method, _path(route, project_id), data=b"{", headers=headers)

        assert (reply.status_code, reply.json()["error_code"]) == (status, code), route.operation
        assert failure_faults(reply.status_code, reply.json()) == [], route.operation
    assert environment.changes() == before


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "no-such-method")


def test_methods_that_no_document_lists_are_refused(each_environment: Environment) -> None:
    for path in sorted({_path(route) for route in ROUTES}):
        listed = {route.method for route in ROUTES if _path(route) == path}
        for method in METHODS:
            if method in listed or (method == "HEAD" and "GET" in listed):
                continue

            reply = each_environment.send(method, path)

            assert reply.status_code == 405, (method, path, reply.text)
            assert method == "HEAD" or failure_faults(405, reply.json()) == [], (method, path)
            assert {one.strip() for one in reply.headers["Allow"].split(",")} - {"HEAD"} == listed, (method, path)


UNLISTED = (
    "/", "/v1", "/v1/local", "/v1/local/", "/v1/local/training-jobs/1/2", "/v2/local/training-jobs",
    "/v1/local/training-jobs/1/versions/1/log/", "/v1/local//training-jobs", "/v1/local/training-jobs/1/..",
    "/v1/%6cocal/%00", "/%ff%fe", "/v1/local/training-job-configs/a%2Fb", "/" + "a" * 20_000,
)  # fmt: skip


def test_paths_that_no_document_lists_are_refused(each_environment: Environment) -> None:
    for path in UNLISTED:
        request = requests.Request("POST", each_environment.url, headers={"X-Auth-Token": "the token of this service"})
        prepared = request.prepare()
        prepared.url = each_environment.url + path  # not normalized

        reply = each_environment.raw.send(prepared)

        assert reply.status_code in (404, 405), path
        assert failure_faults(reply.status_code, reply.json()) == [], path
