"""The first page of the list of jobs, with few jobs stored and with many."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import alternate, milliseconds
from benchmarks.store import CONFIG
from benchmarks.support import fresh_home
from benchmarks.table import Row
from modelarts._wire.v1.status import JOB_STATE
from modelarts.estimator import Estimator
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store, now
from modelarts.session import Session

FEW, MANY = 100, 10_000
ROUNDS = 50
CALLS = 5  # in one sample
PER_PAGE = 10  # rows of a page by default
COMPLETED, FAILED = JOB_STATE.index("JOBSTAT_COMPLETED"), JOB_STATE.index("JOBSTAT_FAILED")
FAILED_OF = 5  # one of so many jobs has failed

QUERIES: dict[str, tuple[dict[str, Any], float | None]] = {
    "first page": ({}, 2),
    "first page by create_time": ({"sort_by": "create_time", "order": "desc"}, 2),
    "first page by status": ({"status": "FAILED"}, 1.3),
}


def measure() -> Iterator[Row]:
    with _session_on(FEW) as few, _session_on(MANY) as many:
        for name, (filters, aim) in QUERIES.items():
            yield _row(few, many, name, filters, aim)


def _row(few: Session, many: Session, name: str, filters: dict[str, Any], aim: float | None) -> Row:
    _check(few, FEW, filters)
    _check(many, MANY, filters)
    samples, base = alternate(ROUNDS, lambda: _milliseconds(many, filters), lambda: _milliseconds(few, filters))
    return Row(
        name=f"{name}, {MANY} jobs", unit="ms", samples=samples, aim=aim, yardstick=f"the same, {FEW} jobs", base=base
    )


def _milliseconds(session: Session, filters: dict[str, Any]) -> float:
    """Wall time of one call."""

    def calls() -> None:
        for _ in range(CALLS):
            Estimator.get_job_list(session, **filters)

    return milliseconds(calls) / CALLS


def _check(session: Session, stored: int, filters: dict[str, Any]) -> None:
    answer = Estimator.get_job_list(session, **filters)
    matching = stored // FAILED_OF if "status" in filters else stored
    if answer.get("job_total_count") != matching or len(answer.get("jobs", ())) != PER_PAGE:
        raise RuntimeError(f"expected a full first page of {matching} jobs, got {answer}")


@contextmanager
def _session_on(jobs: int) -> Iterator[Session]:
    """A session on a service whose store contains so many jobs."""
    with fresh_home() as home:
        path = LocalHome.of(home).store
        path.parent.mkdir(parents=True)
        Store(path).close()
        _fill(path, jobs)
        with Session.local(home) as session:
            yield session


def _fill(store: Path, jobs: int) -> None:
    """Insert ended jobs with one version each; their names are not in the order of their times."""
    body, begin = json.dumps(CONFIG), now() - jobs * 60_000
    connection = sqlite3.connect(store)
    with connection:
        for number in range(1, jobs + 1):
            created = begin + number * 60_000
            name = f"job-{number * 7919 % jobs:06}"  # a prime: each name once
            status = COMPLETED if number % FAILED_OF else FAILED
            ended = created + number % 1000 * 1000
            connection.execute(
                "INSERT INTO jobs (id, name, description, workspace_id, create_time, versions_created, version_count, "
                "newest_version_id, status, start_time, end_time) "
                "VALUES (?, ?, 'a description', '0', ?, 1, 1, ?, ?, ?, ?)",
                (number, name, created, number, status, created, ended),
            )
            connection.execute(
                "INSERT INTO versions (id, job_id, name, body, resource_id, status, create_time, start_time, end_time) "
                "VALUES (?, ?, 'V0001', ?, ?, ?, ?, ?, ?)",
                (number, number, body, f"job{number:08x}", status, created, created, ended),
            )
    connection.close()
