"""Every documented member of every response gets a value of its type, and no other member is returned."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import rest
from tests.support.environment import Environment
from tests.support.rest import OPERATIONS, fields_of, reply_faults

# Members that only the cloud can fill: names of managed data sets and of dedicated pools.
NEVER_SET = {"dataset_name", "dataset_version_name", "pool_name"}
# Members of the local service that no document names.
OWN = {
    "ran_on",  # the devices that a version ran on
    "error_result", "spec_code",  # documented for single versions only
    "schedule", "schedule[].time_unit",  # as in requests, beside the timeUnit of responses
    "remaining_duration",
    "queue_position", "waiting_reason",  # of a queued version
    "is_complete",  # nothing follows these lines of a log
}  # fmt: skip

EVERYTHING = {
    "model_id": 1, "engine_id": 1, "user_image_url": "swr/image:1", "user_command": "bash run.sh", "pool_id": "pool",
    "nas_type": "nfs", "nas_share_addr": "192.168.8.150:/", "nas_mount_path": "/home/work/nas",
    "volumes": [
        {"nfs": {"id": "43b3", "src_path": "192.168.8.150:/", "dest_path": "/home/work/nas", "read_only": False}},
        {"host_path": {"src_path": "/root/work", "dest_path": "/home/mind"}},
    ],
}  # fmt: skip
DATA: tuple[dict[str, Any], ...] = (
    {},
    {"data_url": None, "dataset_id": "did", "dataset_version_id": "vid"},
    {"data_url": None, "data_source": [{"type": "obs", "data_url": "/bucket/data/"}]},
    {"data_url": None, "data_source": [{"type": "dataset", "dataset_id": "did", "dataset_version": "vid"}]},
)
METRICS = '{"total_metric": {"total_metric_values": {"accuracy": 0.9}}, "metric": []}'


@pytest.fixture(scope="module")
def answers(environment: Environment) -> dict[str, list[dict[str, Any]]]:
    """The response of every reading operation when everything that can be set is set, by operation."""
    got: dict[str, list[dict[str, Any]]] = {operation: [] for operation in OPERATIONS}

    def ask(operation: str, query: dict[str, Any] | None = None, **path: Any) -> None:
        got[operation].append(environment.call(operation, path, query).members)

    for data in DATA:
        ask("get_training_job_config", config_name=environment.config(config_desc="d", **EVERYTHING, **data))
        first = environment.version(8, log="a line\n", **EVERYTHING, **data)
        config = {"pre_version_id": first.id, **first.body}
        body = {"job_desc": "d", "config": {name: value for name, value in config.items() if value}}
        got["create_training_job_version"].append(
            environment.call("create_training_job_version", {"job_id": first.job_id}, body=body).members
        )
        second = environment.put(first.job_id, got["create_training_job_version"][-1]["version_id"], 10, log="a line\n")
        environment.service.home.job(second.id).metrics.write_text(METRICS)
        version: dict[str, Any] = {"job_id": first.job_id, "version_id": second.id}
        ask("get_training_job_version", **version)
        ask("list_training_job_versions", job_id=first.job_id)
        ask("list_training_job_log_files", **version)
        for operation in ("get_training_job_log", "get_training_job_log_bytes"):
            ask(operation, {"log_file": environment.log_file(second)}, **version)
    schedule = [{"type": "stop", "time_unit": "HOURS", "duration": 2}]
    ask("get_visualization_job", job_id=environment.visualization(8, job_desc="d", schedule=schedule).id)
    for operation in OPERATIONS:
        if operation.startswith("list_") and not got[operation]:
            ask(operation)
    return got


READING = [operation for operation, row in OPERATIONS.items() if row["method"] == "GET"]


@pytest.mark.parametrize("operation", READING)
def test_every_documented_member_is_returned(answers: dict[str, list[dict[str, Any]]], operation: str) -> None:
    told = set().union(*(rest.non_null_members(operation, reply) for reply in answers[operation]))

    assert [fault for reply in answers[operation] for fault in reply_faults(operation, reply)] == []
    documented = paths_of(fields_of(operation, "response"))
    assert {path for path in documented - told if path.rpartition(".")[2] not in NEVER_SET} == set()


@pytest.mark.parametrize("operation", READING)
def test_no_other_member_is_returned_but_those_listed_here(
    answers: dict[str, list[dict[str, Any]]], operation: str
) -> None:
    told = set().union(*(rest.undocumented_members(operation, reply) for reply in answers[operation]))

    assert {path.rpartition("jobs[].")[2].rpartition("versions[].")[2] for path in told} <= OWN


def test_metrics_have_the_form_of_each_page(answers: dict[str, list[dict[str, Any]]]) -> None:
    (version, *_) = answers["get_training_job_version"]
    (versions, *_) = answers["list_training_job_versions"]

    assert version["model_metric_list"] == versions["versions"][0]["model_metric_list"]
    assert isinstance(version["system_metric_list"], dict)
    assert isinstance(versions["versions"][0]["system_metric_list"], str)


def paths_of(fields: list[dict[str, Any]], at: str = "") -> set[str]:
    """Every member that the tables list for a success, but what a training writes itself."""
    found = set()
    for field in fields:
        if field.get("undocumented") or field.get("presence") == "failure_only":
            continue
        path = at + field["name"]
        found.add(path)
        if field["name"] not in rest.NOT_CHECKED:
            found |= paths_of(field.get("fields") or field.get("items", {}).get("fields") or [], f"{path}.")
    return found
