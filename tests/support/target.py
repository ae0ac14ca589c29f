"""One of each resource, and for each operation its path and a valid body."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import attrs
import requests

from modelarts._wire.v1.routes import BY_OPERATION
from tests.support.environment import BODY, Environment
from tests.support.rest import OPERATIONS, failure_faults, reply_faults

VOLUMES = [{"nfs": {"id": "i", "src_path": "s", "dest_path": "d", "read_only": True}}]
VISUALIZATION = {
    "train_url": "/bucket/output/", "job_desc": "d", "job_type": "tensorboard", "flavor": {"code": "c"},
    "schedule": [{"type": "stop", "time_unit": "HOURS", "duration": 1}],
}  # fmt: skip


@attrs.frozen
class Target:
    """A running version with a log, a configuration and a running visualization job."""

    environment: Environment
    job_id: int
    version_id: int
    log_file: str
    config_name: str
    visualization_id: int

    @classmethod
    def of(cls, environment: Environment) -> Target:
        version = environment.version(8, log="a line\n")
        log_file, visualization = environment.log_file(version), environment.visualization(8)
        return cls(environment, version.job_id, version.id, log_file, environment.config(), visualization.id)

    def path(self, operation: str) -> dict[str, Any]:
        """The values in the path of an operation, without the project."""
        job_id = self.visualization_id if "visualization" in operation else self.job_id
        members = {"job_id": job_id, "version_id": self.version_id, "config_name": self.config_name}
        return {name: value for name, value in members.items() if f"{{{name}}}" in OPERATIONS[operation]["path"]}

    def body(self, operation: str) -> dict[str, Any]:
        """A valid body, with an unused name."""
        settings = copy.deepcopy({**BODY, "volumes": VOLUMES})
        named: dict[str, dict[str, Any]] = {
            "create_training_job": {"job_name": self.environment.name(), "job_desc": "d", "config": settings},
            "create_training_job_version": {"job_desc": "d", "config": {**settings, "pre_version_id": self.version_id}},
            "create_training_job_config": {"config_name": self.environment.name(), **settings},
            "update_training_job_config": settings,
            "create_visualization_job": {"job_name": self.environment.name(), **copy.deepcopy(VISUALIZATION)},
        }
        return named.get(operation, {"job_desc": "d"})

    def encoded(self, operation: str) -> bytes:
        """The valid body as JSON."""
        return json.dumps(self.body(operation)).encode()

    def send(self, operation: str, data: bytes) -> requests.Response:
        """Call an operation with these bytes as the body."""
        route = BY_OPERATION[operation]
        return self.environment.send(route.method, route.url("", project_id="local", **self.path(operation)), data=data)


def assert_rejected(target: Target, operation: str, data: bytes, status: int = 400) -> None:
    """Check that the response is the documented error for a bad value, and that nothing was written."""
    before = target.environment.changes()

    reply = target.send(operation, data)

    assert (reply.status_code, reply.json()["error_code"]) == (status, "ModelArts.0104"), reply.text[:200]
    assert failure_faults(reply.status_code, reply.json()) == []
    assert target.environment.changes() == before


def assert_valid_reply(target: Target, operation: str, reply: requests.Response, before: int) -> None:
    """Check that the response has a documented format, an error wrote nothing, and new resources can be used.

    Args:
        before: the value of `Environment.changes` before the call.
    """
    members = reply.json()
    assert reply.status_code < 500 or "MindInsight" in members["error_msg"], reply.text
    if reply.status_code != 200:
        assert failure_faults(reply.status_code, members) == []
        assert target.environment.changes() == before
        return
    assert reply_faults(operation, members) == []
    if "version_id" in members and operation.startswith("create"):
        job = target.environment.store.jobs.get(members["job_id"])
        version = target.environment.put(members["job_id"], members["version_id"], 10)
        assert job is not None
        assert json.dumps(target.environment.spec_builder.spec(job, version), ensure_ascii=False).encode()
    for read_operation, path, query in _read_calls(target, operation, members):
        read = target.environment.call(read_operation, path, query)
        assert (read.status, reply_faults(read_operation, read.members)) == (200, []), read.members


def _read_calls(
    target: Target, operation: str, created: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The calls that read the resource that a call has created or changed: operation, path and query."""
    newest = {"per_page": 1, "order": "desc", "sortBy": "create_time"}
    if operation in ("create_training_job_config", "update_training_job_config"):
        yield "list_training_job_configs", {}, newest
        if operation.startswith("update"):
            yield "get_training_job_config", target.path(operation), {}
    elif operation == "create_visualization_job":
        yield "get_visualization_job", {"job_id": created["job_id"]}, {}
        yield "list_visualization_jobs", {}, newest
    elif "version_id" in created and operation.startswith("create"):
        yield "get_training_job_version", {"job_id": created["job_id"], "version_id": created["version_id"]}, {}
        yield "list_training_job_versions", {"job_id": created["job_id"]}, {"page": 1, "per_page": 1}
        yield "list_training_jobs", {}, newest
