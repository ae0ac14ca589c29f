"""Deletion is one transaction: complete with any number of versions, and while other requests arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from tests.support.environment import BODY, Reply, World

WAITING, RUNNING, KILLING, KILLED, COMPLETED = 7, 8, 9, 13, 10
ROUNDS = 20


def create_job(world: World) -> tuple[int, int]:
    reply = world.call("create_training_job", body={"job_name": world.name("job"), "config": BODY})
    return reply.members["job_id"], reply.members["version_id"]


def create_version(world: World, job_id: int, version_id: int) -> Reply:
    body = {"config": {**BODY, "pre_version_id": version_id}}
    return world.call("create_training_job_version", {"job_id": job_id}, body=body)


def at_once(*calls: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]


def test_a_job_with_many_queued_versions_is_deleted_completely(world: World) -> None:
    job_id, version_id = create_job(world)
    for number in range(600):
        added = world.store.jobs.add_version(job_id, version_id, BODY)[1]
        if number % 2:
            world.store.jobs.transition(added.id, (1,), WAITING)

    assert world.call("delete_training_job", {"job_id": job_id}).status == 200

    assert world.store.jobs.get(job_id) is None
    assert world.store.jobs.versions(job_id) == []


def test_running_versions_are_stopped_and_the_others_deleted_at_once(world: World) -> None:
    job_id, running = create_job(world)
    world.put(job_id, running, RUNNING)
    queued = create_version(world, job_id, running).members["version_id"]
    ended = create_version(world, job_id, running).members["version_id"]
    world.put(job_id, ended, COMPLETED)

    assert world.call("delete_training_job", {"job_id": job_id}).status == 200

    assert [(version.id, version.status) for version in world.store.jobs.versions(job_id)] == [(running, KILLING)]
    assert create_version(world, job_id, queued).status == 404
    assert create_version(world, job_id, running).status == 409
    assert world.store.jobs.transition(running, (KILLING,), KILLED)
    assert world.store.jobs.get(job_id) is None
    assert world.store.jobs.versions(job_id) == []


def test_no_version_survives_a_job_that_is_deleted_at_the_same_time(world: World) -> None:
    for _ in range(ROUNDS):
        job_id, version_id = create_job(world)

        deleted, *created = at_once(
            lambda: world.call("delete_training_job", {"job_id": job_id}),  # noqa: B023
            *[lambda: create_version(world, job_id, version_id)] * 3,  # noqa: B023
        )

        assert deleted.status == 200
        assert {reply.status for reply in created} <= {200, 404, 409}, created
        assert world.store.jobs.get(job_id) is None
        assert world.store.jobs.versions(job_id) == []


def test_a_job_that_is_deleted_while_it_is_created_is_answered(world: World) -> None:
    for _ in range(ROUNDS):
        newest = create_job(world)[0]

        def delete_next(job_id: int = newest + 1) -> Reply:
            while (reply := world.call("delete_training_job", {"job_id": job_id})).status == 404:
                pass
            return reply

        created, deleted = at_once(
            lambda: world.call("create_training_job", body={"job_name": world.name("job"), "config": BODY}), delete_next
        )

        assert (created.status, deleted.status) == (200, 200)
        assert {"job_id", "version_id"} <= created.members.keys()


@pytest.mark.parametrize("first", ["stop", "delete"])
def test_a_visualization_job_that_is_stopped_and_deleted_at_once_answers_truly(world: World, first: str) -> None:
    for _ in range(ROUNDS):
        path = {"job_id": world.visualization(RUNNING).id}
        calls = [
            lambda: world.call("stop_visualization_job", path),  # noqa: B023
            lambda: world.call("delete_visualization_job", path),  # noqa: B023
        ]

        stopped, deleted = at_once(*calls) if first == "stop" else at_once(*calls[::-1])[::-1]

        row = world.store.visualizations.get(path["job_id"])
        assert row is not None
        assert (row.status, bool(row.delete_requested)) == (KILLING, deleted.status == 200)
        assert {stopped.status, deleted.status} <= {200, 404, 409}
        assert 200 in (stopped.status, deleted.status)
