"""Every documented limit: a value just inside is accepted, a value just outside is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import limit_cases
from tests.support.environment import BODY, ApiClient
from tests.support.limit_cases import Case, FreeName, ListedId, NodeCount
from tests.support.rest import OPERATIONS, failure_faults, reply_faults
from tests.support.target import Target

CASES = {operation: cases for operation in OPERATIONS if (cases := list(limit_cases.cases(operation)))}


# Without a socket: the tests of the samples show that clients with one get the same responses.
pytestmark = pytest.mark.parametrize("client", ["in process, bare", "in process, SDK"], indirect=True)


@pytest.fixture(scope="module")
def lane_target(client: ApiClient) -> Target:
    return Target.of(client.environment)


@pytest.mark.parametrize("operation", CASES)
def test_the_documented_limits(client: ApiClient, lane_target: Target, operation: str) -> None:
    found = [fault for case in CASES[operation] if (fault := fault_of(client, lane_target, case))]

    assert not found, "\n".join(found)


# Spellings that differ between the documents are all accepted (the classes of the conflict table).
SPELLINGS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "SORTNAME": ("list_training_jobs", {"sort_by": "create_time"}, None),
    "PARAMKEY": ("update_training_job_config", {}, {**BODY, "parameter": [{"key": "lr", "value": 0.1}]}),
    "POOL": ("update_training_job_config", {}, {**BODY, "spec_id": None, "poolId": "pool1"}),
    "DSVER": ("update_training_job_config", {}, {**BODY, "data_url": None, "data_source": [
        {"type": "dataset", "dataset_id": "d", "dataset_version_id": "v"}
    ]}),
    "VISTYPE": ("create_visualization_job", {}, {"job_name": "v1", "train_url": "/b/t/", "job_type": "TensorBoard"}),
    "SCHEDULE": ("create_visualization_job", {}, {"job_name": "v2", "train_url": "/b/t/", "schedule":
        {"type": "Stop", "timeUnit": "hours", "duration": 1}
    }),
}  # fmt: skip


def test_the_documented_spellings(client: ApiClient, lane_target: Target) -> None:
    for kind, (operation, query, body) in SPELLINGS.items():
        reply = client.call(operation, lane_target.path(operation), query, body)

        assert reply.status == 200, (kind, reply.members)


def fault_of(client: ApiClient, target: Target, case: Case) -> str:
    """What is wrong with the response to a request, if anything."""
    before = client.environment.changes()
    query, body = limit_cases.resolve([case.query, case.body], lambda wanted: value_of(target, wanted))

    reply = client.call(case.operation, target.path(case.operation), query, body)

    if case.error_code:
        found = failure_faults(reply.status, reply.members, folded=not client.is_raw)
        found += [] if client.environment.changes() == before else ["something was written"]
    else:
        found = reply_faults(case.operation, reply.members)
    if reply.status >= 500 or reply.members.get("error_code", "") != case.error_code:
        found.append(f"answered {reply.status} {reply.members}")
    return f"{case}: {'; '.join(found)}" if found else ""


def value_of(target: Target, wanted: ListedId | NodeCount | FreeName) -> Any:
    """The value of a placeholder for something that depends on the service."""
    offered = target.environment.service.catalog
    if isinstance(wanted, FreeName):
        return target.environment.name()
    if isinstance(wanted, NodeCount):
        return offered.specs[1]["max_num"] + wanted.above_maximum
    if wanted.operation == "list_training_job_log_files":
        return "job-no.0" if wanted.missing else target.log_file
    ids = {
        "list_job_engines": list(offered.engines),
        "list_job_resource_specs": list(offered.specs),
        "list_built_in_algorithms": list(offered.algorithms),
        "list_training_job_versions": [target.version_id],
    }[wanted.operation]
    return max(ids) + 100 if wanted.missing else ids[0]
