"""Every request sample is accepted, and its response has every documented member with its type."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

from tests.support.environment import PROJECT, ApiClient, Environment
from tests.support.rest import OPERATIONS, failure_faults, path_values, reply_faults, samples

PRINTED = [(operation, sample) for operation in OPERATIONS for sample in samples(operation, "requests")]
# The state that a call requires, if it is not RUNNING (state_rules_from_samples).
STATUS = {"restart_visualization_job": 10}
# Samples of what the compatibility page says is not served, and what stands for it here.
NOT_SERVED = {"job_type": ("mindinsight", "tensorboard")}


def path_of(environment: Environment, operation: str, printed: str) -> dict[str, Any]:
    """Create what the path of a sample names; returns the members of the path."""
    members = path_values(operation, printed)
    if "config_name" in members:
        return {"config_name": environment.config()}
    if operation.endswith("visualization_job") or operation == "update_visualization_job_description":
        return {"job_id": environment.visualization(STATUS.get(operation, 8)).id} if members else {}
    version = environment.version(8, log="first\nsecond\n")
    ids = {"job_id": version.job_id, "version_id": version.id}
    return {name: ids[name] for name in members}


def query_of(environment: Environment, path: dict[str, Any], printed: dict[str, str]) -> dict[str, str]:
    """The query of a sample, for a log that exists."""
    if "log_file" not in printed:
        return printed
    version = environment.store.jobs.version(path["job_id"], path["version_id"])
    assert version is not None
    return {**printed, "log_file": environment.log_file(version)}


def body_of(environment: Environment, path: dict[str, Any], printed: dict[str, Any] | None) -> Any:
    """The body of a sample, with a free name and with ids that exist."""
    body = copy.deepcopy(printed)
    for name, (unserved, served) in NOT_SERVED.items():
        if body and body.get(name) == unserved:
            body[name] = served
    for name in ("config_name", "job_name"):
        if body and name in body:
            body[name] = environment.name(body[name])
    if body and "pre_version_id" in body.get("config", {}):
        body["config"]["pre_version_id"] = environment.store.jobs.versions(path["job_id"])[0].id
    return body


def test_a_sample_gets_the_documented_response(client: ApiClient) -> None:
    for operation, sample in PRINTED:
        path = path_of(client.environment, operation, sample["path"])
        query = query_of(client.environment, path, sample.get("query", {}))
        body = body_of(client.environment, path, sample.get("body"))

        reply = client.call(operation, path, query, body)

        assert reply.status == 200, (sample, reply.members)
        assert reply_faults(operation, reply.members) == [], sample


def test_paths_are_accepted_as_in_the_samples(environment: Environment) -> None:
    for operation, sample in PRINTED:
        made = path_of(environment, operation, sample["path"])
        path = sample["path"].replace("{project_id}", PROJECT)
        for name, printed in path_values(operation, sample["path"]).items():
            kind = path[: path.index(f"/{printed}")].rpartition("/")[2]
            path = path.replace(f"{kind}/{printed}", f"{kind}/{quote(str(made[name]))}", 1)
        query = query_of(environment, made, sample.get("query", {}))

        reply = environment.send(sample["method"], path, body_of(environment, made, sample.get("body")), params=query)

        assert reply.status_code == 200, (sample, reply.text)


def test_an_operation_that_is_not_available_says_so(client: ApiClient) -> None:
    (sample,) = samples("create_visualization_job", "requests")

    reply = client.call("create_visualization_job", body=sample["body"])

    assert (reply.status, reply.members["error_code"]) == (501, "ModelArts.0105")
    assert failure_faults(reply.status, reply.members, folded=not client.is_raw) == []
