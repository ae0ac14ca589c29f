"""Every printed request is accepted, and its answer has every documented member with its type."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.environment import PROJECT, Lane, World
from tests.support.rest import OPERATIONS, path_values, refusal_faults, reply_faults, samples

PRINTED = [
    pytest.param(operation, sample, id=f"{operation}-{number}")
    for operation in OPERATIONS for number, sample in enumerate(samples(operation, "requests"), 1)
]  # fmt: skip
# The state that a call asks for, where another than RUNNING does (state_rules_from_samples).
STATUS = {"restart_visualization_job": 10}
# Samples of what the compatibility page says is not served, and what stands for it here.
NOT_SERVED = {"job_type": ("mindinsight", "tensorboard")}


def path_of(world: World, operation: str, printed: str) -> dict[str, Any]:
    """Make what a printed path names; the members of the path that name it."""
    members = path_values(operation, printed)
    if "config_name" in members:
        return {"config_name": world.config()}
    if operation.endswith("visualization_job") or operation == "update_visualization_job_description":
        return {"job_id": world.visualization(STATUS.get(operation, 8)).id} if members else {}
    version = world.version(8, log="first\nsecond\n")
    ids = {"job_id": version.job_id, "version_id": version.id}
    return {name: ids[name] for name in members}


def query_of(world: World, path: dict[str, Any], printed: dict[str, str]) -> dict[str, str]:
    """A printed query about a log that there is."""
    if "log_file" not in printed:
        return printed
    version = world.store.jobs.version(path["job_id"], path["version_id"])
    assert version is not None
    return {**printed, "log_file": world.log_file(version)}


def body_of(world: World, path: dict[str, Any], printed: dict[str, Any] | None) -> Any:
    """A printed body under a name that is free, and about what there is."""
    body = copy.deepcopy(printed)
    for name, (unserved, served) in NOT_SERVED.items():
        if body and body.get(name) == unserved:
            body[name] = served
    for name in ("config_name", "job_name"):
        if body and name in body:
            body[name] = world.name(body[name])
    if body and "pre_version_id" in body.get("config", {}):
        body["config"]["pre_version_id"] = world.store.jobs.versions(path["job_id"])[0].id
    return body


@pytest.mark.parametrize(("operation", "sample"), PRINTED)
def test_a_printed_request_is_answered_as_documented(lane: Lane, operation: str, sample: dict[str, Any]) -> None:
    path = path_of(lane.world, operation, sample["path"])
    query = query_of(lane.world, path, sample.get("query", {}))
    body = body_of(lane.world, path, sample.get("body"))

    reply = lane.call(operation, path, query, body)

    assert reply.status == 200, reply.members
    assert reply_faults(operation, reply.members) == []


@pytest.mark.parametrize(("operation", "sample"), PRINTED)
def test_paths_are_served_as_they_are_printed(world: World, operation: str, sample: dict[str, Any]) -> None:
    made = path_of(world, operation, sample["path"])
    path = sample["path"].replace("{project_id}", PROJECT)
    for name, printed in path_values(operation, sample["path"]).items():
        kind = path[: path.index(f"/{printed}")].rpartition("/")[2]
        path = path.replace(f"{kind}/{printed}", f"{kind}/{quote(str(made[name]))}", 1)
    query = query_of(world, made, sample.get("query", {}))

    reply = world.send(sample["method"], path, body_of(world, made, sample.get("body")), params=query)

    assert reply.status_code == 200, reply.text


def test_what_is_not_served_says_so(lane: Lane) -> None:
    (sample,) = samples("create_visualization_job", "requests")

    reply = lane.call("create_visualization_job", body=sample["body"])

    assert (reply.status, reply.members["error_code"]) == (501, "ModelArts.0105")
    assert refusal_faults(reply.status, reply.members, folded=not lane.is_raw) == []
