"""A member that is left out has its documented default."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import limit_cases
from tests.support.environment import Environment
from tests.support.limit_cases import FreeName, ListedId
from tests.support.rest import OPERATIONS, WITH_BODY, WITH_QUERY, fields_of
from tests.support.target import Target

OTHERWISE = {
    "status": "the documents give a sentence in place of a value",
    "workspace_id": "on one's own machine there is one list: without it, jobs of all workspaces are in it",
}
QUERY_DEFAULTS = [
    (operation, field["name"], field["constraint"]["default"])
    for operation in WITH_QUERY for field in fields_of(operation, "query_params")
    if "default" in field["constraint"] and field["name"] not in OTHERWISE
]  # fmt: skip
READ = {
    "create_training_job_config": "get_training_job_config",
    "update_training_job_config": "get_training_job_config",
    "create_training_job": "get_training_job_version",
    "create_training_job_version": "get_training_job_version",
    "create_visualization_job": "get_visualization_job",
}
KEPT = {("create_training_job_version", "job_desc"): "a version without a description does not change that of the job"}
BODY_DEFAULTS = [
    (operation, field["name"], field["constraint"]["default"])
    for operation in WITH_BODY for field, _ in limit_cases.documented_members(fields_of(operation, "request_body"))
    if "default" in field.get("constraint", {}) and operation in READ and (operation, field["name"]) not in KEPT
    and field["name"] in {members["name"] for members in fields_of(READ[operation], "response")}
]  # fmt: skip


@pytest.fixture(scope="module")
def crowd(environment: Environment) -> Target:
    """More rows than one page has, and a log that is longer than one response."""
    target = Target.of(environment)
    log = "".join(f"line {number} of many, and quite long it is, too\n" for number in range(100))
    environment.put(target.job_id, target.version_id, 8, log)
    for _ in range(11):
        environment.config()
        environment.version()
        environment.visualization()
        target.send("create_training_job_version", target.encoded("create_training_job_version"))
    return target


@pytest.mark.parametrize(("operation", "name", "default"), QUERY_DEFAULTS)
def test_a_query_without_a_member_equals_one_with_the_default(
    crowd: Target, operation: str, name: str, default: Any
) -> None:
    needed = {"log_file": crowd.log_file} if "log_file" in str(OPERATIONS[operation]["query_params"]) else {}

    without = crowd.environment.call(operation, crowd.path(operation), needed)
    given = crowd.environment.call(operation, crowd.path(operation), {**needed, name: default})

    assert (without.status, still(without.members)) == (200, still(given.members))


def still(members: Any) -> Any:
    """A response without the members that change by themselves."""
    if isinstance(members, dict):
        return {name: still(value) for name, value in members.items() if name not in ("duration", "remaining_duration")}
    return [still(item) for item in members] if isinstance(members, list) else members


@pytest.mark.parametrize(("operation", "name", "default"), BODY_DEFAULTS)
def test_a_body_without_a_member_equals_one_with_the_default(
    crowd: Target, operation: str, name: str, default: Any
) -> None:
    body = limit_cases.resolve(limit_cases.base(operation), lambda wanted: value_of(crowd, wanted))
    for place in (body, body.get("config", {})):
        place.pop(name, None)

    made = crowd.environment.call(operation, crowd.path(operation), body=body)

    assert made.status == 200, made.members
    members = {**crowd.path(operation), "config_name": body.get("config_name", crowd.config_name), **made.members}
    path = {key: members[key] for key in crowd.path(READ[operation])}
    assert crowd.environment.call(READ[operation], path).members[name] == default


def value_of(target: Target, wanted: Any) -> Any:
    if isinstance(wanted, FreeName):
        return target.environment.name()
    assert isinstance(wanted, ListedId)
    return target.version_id


def test_jobs_start_a_version_and_belong_to_workspace_0(environment: Environment) -> None:
    version = environment.version()

    assert version.name == "V0001"
    listed = environment.call("list_training_jobs", query={"workspace_id": "0", "per_page": 1000}).members
    assert version.job_id in [job["job_id"] for job in listed["jobs"]]
    other = environment.call("list_training_jobs", query={"workspace_id": "1"}).members
    assert (other["job_total_count"], other["jobs"]) == (0, [])
