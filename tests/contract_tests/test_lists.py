"""Lists: filters that only some of them have, every documented order, and only rows that other calls find."""

from __future__ import annotations

from typing import Any

import pytest

from modelarts.local.store import now
from tests.support.environment import Environment, Reply
from tests.support.rest import OPERATIONS, WITH_QUERY, fields_of

RUNNING, COMPLETED = 8, 10
LISTS = {
    "list_training_jobs": "jobs", "list_training_job_configs": "configs", "list_visualization_jobs": "jobs",
    "list_built_in_algorithms": "models", "list_job_resource_specs": "specs", "list_job_engines": "engines",
}  # fmt: skip
OF_SDK = {  # sort fields of the documented calls that the documented routes lack: modelarts_04_0160, modelarts_04_0182
    "list_training_jobs": ["engine_type"], "list_visualization_jobs": ["duration", "log_dir"],
}  # fmt: skip
ENUMS = {
    (field["name"], str(value))
    for operation in WITH_QUERY for field in fields_of(operation, "query_params")
    for value in field["constraint"].get("enum", ())
}  # fmt: skip
FILTERS = sorted(
    {("status", "8"), ("status", "RUNNING|10"), ("workspace_id", "0"), ("workspace_id", ""), ("search_content", "a"),
     ("per_page", "5"), ("page", "2"), ("engine_id", "1"), ("base_line", "x"), *ENUMS}
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_row_each(environment: Environment) -> None:
    """A row in each list."""
    environment.config()
    environment.version(RUNNING)
    environment.visualization(RUNNING)


def without_durations(reply: Reply, rows: str) -> dict[str, Any]:
    """The members of a reply but the durations of its rows, which grow while the test runs."""
    assert reply.status == 200
    return {**reply.members, rows: [{**row, "duration": None} for row in reply.members[rows]]}


@pytest.mark.parametrize(("operation", "rows"), LISTS.items())
def test_a_list_ignores_the_filters_of_other_lists(environment: Environment, operation: str, rows: str) -> None:
    own = {field["name"] for field in fields_of(operation, "query_params")}
    for name, value in FILTERS:
        reply = environment.call(operation, query={name: value})

        assert reply.status in (200, 400), (name, value, reply.members)
        if name not in own:
            assert without_durations(reply, rows) == without_durations(environment.call(operation), rows), (name, value)


@pytest.mark.parametrize("operation", [operation for operation in LISTS if operation in WITH_QUERY])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_every_documented_sort_field_is_supported(environment: Environment, operation: str, order: str) -> None:
    enums = {field["name"]: field["constraint"].get("enum", ()) for field in fields_of(operation, "query_params")}

    for sort in (*enums.get("sortBy", ()), *OF_SDK.get(operation, ())):
        reply = environment.call(operation, query={"sortBy": sort, "order": order})

        assert reply.status == 200, (sort, reply.members)
        assert reply.members[LISTS[operation]]


@pytest.mark.parametrize("kind", ["training", "visualization"])
def test_running_jobs_are_sorted_by_their_duration_so_far(environment: Environment, kind: str) -> None:
    times = {
        "long ended": (now() - 9_000_000, now() - 2_000_000), "running": (now() - 5_000_000, None),
        "short": (now() - 1_000, now()), "queued": (None, None),
    }  # fmt: skip
    ids = {}
    for title, (start_time, end_time) in times.items():
        row: Any = environment.version(workspace_id="durations") if kind == "training" else environment.visualization()
        table = environment.store.jobs if kind == "training" else environment.store.visualizations
        status = RUNNING if end_time is None else COMPLETED
        assert table.transition(row.id, range(23), status, start_time=start_time, end_time=end_time)
        ids[row.job_id if kind == "training" else row.id] = title

    reply = environment.call(f"list_{kind}_jobs", query={"sortBy": "duration", "order": "desc", "per_page": 1000})

    listed = [ids[row["job_id"]] for row in reply.members["jobs"] if row["job_id"] in ids]
    assert listed == ["long ended", "running", "short", "queued"]
    durations = [row["duration"] for row in reply.members["jobs"]]
    assert durations == sorted(durations, reverse=True)
    assert min(durations) >= 0


def test_jobs_are_sorted_by_engine_type(environment: Environment) -> None:
    jobs = {environment.version(engine_id=engine_id).job_id: engine_id for engine_id in (1013, 1, 501, 1019)}

    reply = environment.call("list_training_jobs", query={"sortBy": "engine_type", "order": "asc", "per_page": 1000})

    listed = [jobs[row["job_id"]] for row in reply.members["jobs"] if row["job_id"] in jobs]
    assert listed == [1, 1019, 501, 1013]  # TensorFlow 1, MXNet 2, PyTorch 10


def test_a_visualization_job_that_is_being_deleted_is_in_no_list(environment: Environment) -> None:
    kept, deleted = environment.visualization(RUNNING), environment.visualization(RUNNING)
    before = environment.call("list_visualization_jobs", query={"per_page": 1000}).members

    assert environment.call("delete_visualization_job", {"job_id": deleted.id}).status == 200

    after = environment.call("list_visualization_jobs", query={"per_page": 1000}).members
    assert environment.call("get_visualization_job", {"job_id": deleted.id}).status == 404
    assert after["job_total_count"] == before["job_total_count"] - 1
    listed = [row["job_id"] for row in after["jobs"]]
    assert kept.id in listed
    assert deleted.id not in listed


def test_every_listed_row_is_found_by_its_own_call(environment: Environment) -> None:
    for listing, rows, reading, member in (
        ("list_training_jobs", "jobs", "list_training_job_versions", "job_id"),
        ("list_visualization_jobs", "jobs", "get_visualization_job", "job_id"),
        ("list_training_job_configs", "configs", "get_training_job_config", "config_name"),
    ):
        listed = environment.call(listing, query={"per_page": 1000}).members[rows]
        assert listed
        for row in listed:
            assert environment.call(reading, {member: row[member]}).status == 200
    assert set(OPERATIONS) >= set(LISTS)
