"""Deletion is one transaction: complete with any number of versions, and while other requests arrive."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from tests.support.environment import BODY, Environment, Reply

WAITING, RUNNING, KILLING, KILLED, COMPLETED = 7, 8, 9, 13, 10
ROUNDS = 20


def create_job(environment: Environment) -> tuple[int, int]:
    reply = environment.call("create_training_job", body={"job_name": environment.name("job"), "config": BODY})
    return reply.members["job_id"], reply.members["version_id"]


def create_version(environment: Environment, job_id: int, version_id: int) -> Reply:
    body = {"config": {**BODY, "pre_version_id": version_id}}
    return environment.call("create_training_job_version", {"job_id": job_id}, body=body)


def at_once(*calls: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]


def test_a_job_with_many_queued_versions_is_deleted_completely(environment: Environment) -> None:
    job_id, version_id = create_job(environment)
    for number in range(600):
        added = environment.store.jobs.add_version(job_id, version_id, BODY)[1]
        if number % 2:
            environment.store.jobs.transition(added.id, (1,), WAITING)

    assert environment.call("delete_training_job", {"job_id": job_id}).status == 200

    assert environment.store.jobs.get(job_id) is None
    assert environment.store.jobs.versions(job_id) == []


def test_running_versions_are_stopped_and_the_others_deleted_at_once(environment: Environment) -> None:
    job_id, running = create_job(environment)
    environment.put(job_id, running, RUNNING)
    queued = create_version(environment, job_id, running).members["version_id"]
    ended = create_version(environment, job_id, running).members["version_id"]
    environment.put(job_id, ended, COMPLETED)

    assert environment.call("delete_training_job", {"job_id": job_id}).status == 200

    assert [(version.id, version.status) for version in environment.store.jobs.versions(job_id)] == [(running, KILLING)]
    assert create_version(environment, job_id, queued).status == 404
    assert create_version(environment, job_id, running).status == 409
    assert environment.store.jobs.transition(running, (KILLING,), KILLED)
    assert environment.store.jobs.get(job_id) is None
    assert environment.store.jobs.versions(job_id) == []


def test_no_version_survives_a_job_that_is_deleted_at_the_same_time(environment: Environment) -> None:
    for _ in range(ROUNDS):
        job_id, version_id = create_job(environment)

        deleted, *created = at_once(
            lambda: environment.call("delete_training_job", {"job_id": job_id}),  # noqa: B023
            *[lambda: create_version(environment, job_id, version_id)] * 3,  # noqa: B023
        )

        assert deleted.status == 200
        assert {reply.status for reply in created} <= {200, 404, 409}, created
        assert environment.store.jobs.get(job_id) is None
        assert environment.store.jobs.versions(job_id) == []


def test_a_job_can_be_deleted_while_the_response_to_its_creation_is_built(environment: Environment) -> None:
    for _ in range(ROUNDS):
        newest = create_job(environment)[0]

        def delete_next(job_id: int = newest + 1) -> Reply:
            deadline = time.monotonic() + 20
            while (reply := environment.call("delete_training_job", {"job_id": job_id})).status == 404:
                assert time.monotonic() < deadline, "the job was not created in time"
            return reply

        body = {"job_name": environment.name("job"), "config": BODY}
        created, deleted = at_once(
            lambda: environment.call("create_training_job", body=body),  # noqa: B023
            delete_next,
        )

        assert (created.status, deleted.status) == (200, 200)
        assert {"job_id", "version_id"} <= created.members.keys()


@pytest.mark.parametrize("first", ["stop", "delete"])
def test_a_visualization_job_can_be_stopped_and_deleted_at_once(environment: Environment, first: str) -> None:
    for _ in range(ROUNDS):
        path = {"job_id": environment.visualization(RUNNING).id}
        calls = [
            lambda: environment.call("stop_visualization_job", path),  # noqa: B023
            lambda: environment.call("delete_visualization_job", path),  # noqa: B023
        ]

        stopped, deleted = at_once(*calls) if first == "stop" else at_once(*calls[::-1])[::-1]

        row = environment.store.visualizations.get(path["job_id"])
        assert row is not None
        assert (row.status, bool(row.delete_requested)) == (KILLING, deleted.status == 200)
        assert {stopped.status, deleted.status} <= {200, 404, 409}
        assert 200 in (stopped.status, deleted.status)
