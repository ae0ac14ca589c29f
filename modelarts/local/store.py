"""All SQL of the local service: configurations, jobs, versions, datasets in one SQLite file."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from modelarts._wire.status import INIT, JobStatus
from modelarts.local.migrations import migrate


class NameInUse(Exception):
    """A job or configuration of that name exists."""


@attrs.frozen
class Config:
    name: str
    description: str
    body: dict[str, Any]
    create_time: int


@attrs.frozen
class Job:
    id: int
    name: str
    description: str
    workspace_id: str
    create_time: int
    versions_made: int


@attrs.frozen
class Version:
    """A version of a job. `body` is what its creator sent; times are epoch milliseconds."""

    id: int
    job_id: int
    name: str
    pre_version_id: int | None
    body: dict[str, Any]
    resource_id: str
    status: JobStatus
    create_time: int
    start_time: int | None
    end_time: int | None
    reason: str | None
    ran_on: str | None


@attrs.frozen
class JobRow:
    """A job as lists show it: with its newest version, if it has one."""

    job: Job
    version_id: int | None
    status: JobStatus
    start_time: int | None
    end_time: int | None
    version_count: int


_SORTS = {
    "job_name": "jobs.name",
    "job_desc": "jobs.description",
    "status": "status",
    "duration": "duration",
    "version_count": "version_count",
    "create_time": "jobs.create_time",
}


class Store:
    """One connection a thread; writers take turns; every commit is on the disk before it is answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        migrate(self._connection)

    def close(self) -> None:
        """Close every thread's connection; may be called twice."""
        with self._guard:
            while self._open:
                self._open.pop().close()

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            )
            self._local.connection = connection
            with self._guard:
                self._open.append(connection)
        return connection

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    # --- configurations

    def add_config(self, name: str, description: str, body: dict[str, Any]) -> None:
        """Raises `NameInUse`."""
        row = (name, description, json.dumps(body), now())
        try:
            with self._write() as connection:
                connection.execute("INSERT INTO configs VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise NameInUse(name) from None

    def replace_config(self, name: str, description: str, body: dict[str, Any]) -> bool:
        """Whether there was one to replace."""
        with self._write() as connection:
            sql = "UPDATE configs SET description = ?, body = ? WHERE name = ?"
            return connection.execute(sql, (description, json.dumps(body), name)).rowcount == 1

    def config(self, name: str) -> Config | None:
        row = self._one("SELECT * FROM configs WHERE name = ?", name)
        return None if row is None else Config(**{**dict(row), "body": json.loads(row["body"])})

    # --- jobs

    def add_job(
        self, name: str, description: str, workspace_id: str, body: dict[str, Any], with_version: bool
    ) -> tuple[Job, Version | None]:
        """Make a job, and unless told otherwise its first version. Raises `NameInUse`."""
        try:
            with self._write() as connection:
                sql = "INSERT INTO jobs (name, description, workspace_id, create_time) VALUES (?, ?, ?, ?)"
                job_id = connection.execute(sql, (name, description, workspace_id, now())).lastrowid
                version_id = self._insert_version(connection, job_id or 0, None, body) if with_version else None
        except sqlite3.IntegrityError:
            raise NameInUse(name) from None
        job = self.job(job_id or 0)
        assert job is not None
        return job, None if version_id is None else self.version(job.id, version_id)

    def job(self, job_id: int) -> Job | None:
        row = self._one("SELECT * FROM jobs WHERE id = ?", job_id)
        return None if row is None else Job(**dict(row))

    def jobs(
        self,
        statuses: Iterable[int] = (),
        search: str = "",
        workspace_id: str | None = None,
        sort: str = "job_name",
        descending: bool = False,
        limit: int = -1,
        offset: int = 0,
    ) -> tuple[int, list[JobRow]]:
        """How many jobs match, and one page of them; equal keys are in the order of their ids."""
        wanted = [int(status) for status in statuses]
        where = ["instr(jobs.name, ?) > 0"]
        values: list[Any] = [search]
        if workspace_id is not None:
            where.append("jobs.workspace_id = ?")
            values.append(workspace_id)
        if wanted:
            where.append(f"status IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
        # A job that has no version counts as status 0.
        source = f"""
            FROM (SELECT jobs.*, newest.id AS version_id, coalesce(newest.status, 0) AS status,
                         newest.start_time, newest.end_time,
                         coalesce(newest.end_time, 0) - coalesce(newest.start_time, 0) AS duration,
                         (SELECT count(*) FROM versions WHERE job_id = jobs.id) AS version_count
                  FROM jobs LEFT JOIN versions AS newest
                  ON newest.id = (SELECT max(id) FROM versions WHERE job_id = jobs.id)) AS jobs
            WHERE {' AND '.join(where)}
        """
        row = self._one(f"SELECT count(*) {source}", *values)
        assert row is not None
        way = "DESC" if descending else "ASC"
        sql = f"SELECT * {source} ORDER BY {_SORTS[sort]} {way}, jobs.id {way} LIMIT ? OFFSET ?"
        return row[0], [_job_row(row) for row in self._connection.execute(sql, (*values, limit, offset))]

    # --- versions

    def add_version(self, job_id: int, pre_version_id: int, body: dict[str, Any]) -> Version:
        """Make the next version of a job that exists."""
        with self._write() as connection:
            version_id = self._insert_version(connection, job_id, pre_version_id, body)
        version = self.version(job_id, version_id)
        assert version is not None
        return version

    def _insert_version(
        self, connection: sqlite3.Connection, job_id: int, pre_version_id: int | None, body: dict[str, Any]
    ) -> int:
        connection.execute("UPDATE jobs SET versions_made = versions_made + 1 WHERE id = ?", (job_id,))
        number = connection.execute("SELECT versions_made FROM jobs WHERE id = ?", (job_id,)).fetchone()[0]
        sql = """INSERT INTO versions (job_id, name, pre_version_id, body, resource_id, status, create_time)
                 VALUES (?, ?, ?, ?, ?, ?, ?)"""
        resource_id = f"job{secrets.token_hex(4)}"
        row = (job_id, f"V{number:04}", pre_version_id, json.dumps(body), resource_id, int(INIT), now())
        return connection.execute(sql, row).lastrowid or 0

    def version(self, job_id: int, version_id: int) -> Version | None:
        row = self._one("SELECT * FROM versions WHERE job_id = ? AND id = ?", job_id, version_id)
        return None if row is None else _version(row)

    def versions(self, job_id: int) -> list[Version]:
        """All versions of a job, newest first."""
        sql = "SELECT * FROM versions WHERE job_id = ? ORDER BY id DESC"
        return [_version(row) for row in self._connection.execute(sql, (job_id,))]

    def versions_in(self, *statuses: int) -> list[Version]:
        """All versions in one of these statuses, oldest first."""
        sql = f"SELECT * FROM versions WHERE status IN ({', '.join('?' * len(statuses))}) ORDER BY id"
        return [_version(row) for row in self._connection.execute(sql, [int(status) for status in statuses])]

    def advance(self, version_id: int, expected: Iterable[int], status: int, **changes: Any) -> bool:
        """Set a status if it is still one of those expected; the answer says whether this call won."""
        columns = "".join(f", {name} = ?" for name in changes)
        before = [int(item) for item in expected]
        sql = f"UPDATE versions SET status = ?{columns} WHERE id = ? AND status IN ({', '.join('?' * len(before))})"
        with self._write() as connection:
            values = (int(status), *changes.values(), version_id, *before)
            return connection.execute(sql, values).rowcount == 1

    # --- datasets

    def put_dataset(self, dataset_id: str, version_id: str, url: str) -> None:
        """Register a folder under an id and a version; registering again replaces."""
        with self._write() as connection:
            row = (dataset_id, version_id, url, now())
            connection.execute("INSERT OR REPLACE INTO datasets VALUES (?, ?, ?, ?)", row)

    def dataset(self, dataset_id: str, version_id: str) -> str | None:
        """The folder of a registered dataset version."""
        sql = "SELECT url FROM datasets WHERE dataset_id = ? AND version_id = ?"
        row = self._one(sql, dataset_id, version_id)
        return None if row is None else str(row["url"])

    def datasets(self) -> list[tuple[str, str, str]]:
        """All registered dataset versions with their folders."""
        sql = "SELECT dataset_id, version_id, url FROM datasets ORDER BY dataset_id, version_id"
        return [tuple(row) for row in self._connection.execute(sql)]

    def remove_dataset(self, dataset_id: str, version_id: str) -> bool:
        """Whether there was one to remove."""
        with self._write() as connection:
            sql = "DELETE FROM datasets WHERE dataset_id = ? AND version_id = ?"
            return connection.execute(sql, (dataset_id, version_id)).rowcount == 1


def now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _version(row: sqlite3.Row) -> Version:
    members = dict(row)
    return Version(**{**members, "body": json.loads(row["body"]), "status": JobStatus(row["status"])})


def _job_row(row: sqlite3.Row) -> JobRow:
    job = Job(**{field: row[field] for field in ("id", "name", "description", "workspace_id", "create_time",
                                                 "versions_made")})  # fmt: skip
    return JobRow(job, row["version_id"], JobStatus(row["status"]), row["start_time"], row["end_time"],
                  row["version_count"])  # fmt: skip
