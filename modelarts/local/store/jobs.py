"""Training jobs and their versions."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from modelarts._wire.v1.status import INIT, KILLED, KILLING, RUNNING, WAITING, JobStatus
from modelarts.local.store import rows
from modelarts.local.store.database import Database, Row, duration, now, placeholders
from modelarts.local.store.errors import BeingDeleted, JobNotFound, VersionNotFound
from modelarts.local.store.records import Job, Page, Version, VersionEnd


class Jobs:
    """The tables of jobs and versions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, name: str, description: str, workspace_id: str, body: Row, with_version: bool
    ) -> tuple[Job, Version | None]:
        """Create a job, and its first version if requested. Raises `NameInUse`."""
        with self._db.write() as connection:
            job_id = self._db.insert(connection, "jobs", name=name, description=description, workspace_id=workspace_id,
                                 create_time=now())  # fmt: skip
            version = self._add_version(connection, job_id, None, body) if with_version else None
            return _job(connection, job_id), version

    def get(self, job_id: int) -> Job | None:
        row = self._db.one("SELECT * FROM jobs WHERE id = ?", job_id)
        return None if row is None else _as_job(row)

    def named(self, name: str) -> Job | None:
        """The job of this name."""
        row = self._db.one("SELECT * FROM jobs WHERE name = ?", name)
        return None if row is None else _as_job(row)

    def update_description(self, job_id: int, description: str) -> None:
        with self._db.write() as connection:
            connection.execute("UPDATE jobs SET description = ? WHERE id = ?", (description, job_id))

    def page(self, page: Page, engine_types: Mapping[int, int]) -> tuple[int, list[Job]]:
        """How many jobs match, and one page of them.

        Args:
            page: filters, order, and which rows of it.
            engine_types: the type of each engine id, to sort by `engine_type`.
        """
        columns = {
            "job_name": "name", "job_desc": "description", "create_time": "create_time", "status": "status",
            "version_count": "version_count", "duration": duration(), "engine_type": _engine_type(engine_types),
        }  # fmt: skip
        total, found = self._db.page("jobs", page, columns, "id")
        return total, [_as_job(row) for row in found]

    def delete(self, job_id: int) -> list[int]:
        """Delete a job's queued and ended versions, and the job with the last of its versions.

        Running versions are marked to be stopped, and are deleted when they have ended.

        Returns:
            The ids of the versions that are deleted now.
        """
        with self._db.write() as connection:
            connection.execute("UPDATE jobs SET delete_requested = 1 WHERE id = ?", (job_id,))
            return self._request_deletion(connection, job_id, "job_id", job_id)

    # --- versions

    def add_version(self, job_id: int, pre_version_id: int, body: Row, description: str = "") -> tuple[Job, Version]:
        """Create the next version of a job.

        Args:
            job_id: the job.
            pre_version_id: the version that it derives from; of a job without versions any id, which is not kept.
            body: its settings, normalized.
            description: replaces that of the job, unless it is empty.

        Raises:
            JobNotFound, VersionNotFound: the job or the version it derives from does not exist.
            BeingDeleted: the job's deletion was requested.
        """
        with self._db.write() as connection:
            job = _job(connection, job_id)
            if job.version_count:
                _version(connection, job_id, pre_version_id)
            if job.delete_requested:
                raise BeingDeleted
            if description:
                connection.execute("UPDATE jobs SET description = ? WHERE id = ?", (description, job_id))
            return job, self._add_version(connection, job_id, pre_version_id if job.version_count else None, body)

    def _add_version(
        self, connection: sqlite3.Connection, job_id: int, pre_version_id: int | None, body: Row
    ) -> Version:
        number = _job(connection, job_id).versions_created + 1
        version_id = self._db.insert(
            connection, "versions", job_id=job_id, name=f"V{number:04}", pre_version_id=pre_version_id,
            body=json.dumps(body), resource_id=f"job{secrets.token_hex(4)}", status=int(INIT), create_time=now(),
        )  # fmt: skip
        connection.execute("UPDATE jobs SET versions_created = ? WHERE id = ?", (number, job_id))
        summarize(connection, job_id)
        return _version(connection, job_id, version_id)

    def version(self, job_id: int, version_id: int) -> Version | None:
        row = self._db.one("SELECT * FROM versions WHERE job_id = ? AND id = ?", job_id, version_id)
        return None if row is None else _as_version(row)

    def status(self, version_id: int) -> JobStatus | None:
        """The status of a version that exists."""
        row = self._db.one("SELECT status FROM versions WHERE id = ?", version_id)
        return None if row is None else rows.status_of(row["status"])

    def versions(self, job_id: int, limit: int = -1, offset: int = 0) -> list[Version]:
        """Versions of a job, newest first."""
        sql = "SELECT * FROM versions WHERE job_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"
        return [_as_version(row) for row in self._db.all(sql, job_id, limit, offset)]

    def versions_with_status(self, *statuses: int, limit: int = -1) -> list[Version]:
        """The versions in one of these statuses, oldest first; all of them, or at most so many."""
        sql = f"SELECT * FROM versions WHERE status IN ({placeholders(statuses)}) ORDER BY id LIMIT ?"
        return [_as_version(row) for row in self._db.all(sql, *(int(status) for status in statuses), limit)]

    def count(self, *statuses: int, before: int = 2**63 - 1) -> int:
        """How many versions are in one of these statuses, of those that are older than the version `before`."""
        sql = f"SELECT COUNT(*) AS found FROM versions WHERE status IN ({placeholders(statuses)}) AND id < ?"
        row = self._db.one(sql, *(int(status) for status in statuses), before)
        return 0 if row is None else int(row["found"])

    def ends(self, ids: Iterable[int]) -> dict[int, VersionEnd]:
        """Whether and when each of these versions ended, by version id; those that exist."""
        sql = (
            "SELECT versions.id, jobs.name AS job_name, versions.name, versions.status, versions.end_time "
            "FROM versions JOIN jobs ON jobs.id = versions.job_id "
            "WHERE versions.id IN (SELECT value FROM json_each(?))"
        )
        found = self._db.all(sql, json.dumps(list(ids)))
        return {row["id"]: rows.read(VersionEnd, row) for row in found}

    def transition(self, version_id: int, expected: Iterable[int], status: int, **changes: Any) -> bool:
        """Set a status, and other columns, if the status is one of those expected; whether it was.

        A version whose deletion was requested is deleted with its end, and its job with the last version.
        """
        with self._db.write() as connection:
            columns = {"status": int(status), **changes}
            if not self._db.compare_and_set(connection, "versions", version_id, expected, columns):
                return False
            row = connection.execute("SELECT job_id FROM versions WHERE id = ?", (version_id,)).fetchone()
            self._delete_pending(connection, row["job_id"])
            return True

    def delete_version(self, version: Version) -> list[int]:
        """Delete a version that is queued or has ended; mark a running one to be stopped and then deleted.

        Returns:
            The ids of the versions that are deleted now.
        """
        with self._db.write() as connection:
            return self._request_deletion(connection, version.job_id, "id", version.id)

    def _request_deletion(self, connection: sqlite3.Connection, job_id: int, column: str, value: int) -> list[int]:
        connection.execute(
            f"UPDATE versions SET delete_requested = 1, status = CASE WHEN status IN (?, ?) THEN ? "
            f"WHEN status = ? THEN ? ELSE status END WHERE {column} = ?",
            (*map(int, (INIT, WAITING, KILLED, RUNNING, KILLING)), value),
        )
        return self._delete_pending(connection, job_id)

    def _delete_pending(self, connection: sqlite3.Connection, job_id: int) -> list[int]:
        """Delete the ended versions of a job whose deletion was requested, and bring the job up to date; their ids."""
        found = connection.execute("SELECT id, status FROM versions WHERE job_id = ? AND delete_requested", (job_id,))
        deleted = [row["id"] for row in found if rows.status_of(row["status"]).ended]
        connection.executemany("DELETE FROM versions WHERE id = ?", [(version_id,) for version_id in deleted])
        summarize(connection, job_id)
        connection.execute("DELETE FROM jobs WHERE id = ? AND delete_requested AND version_count = 0", (job_id,))
        return deleted


def _job(connection: sqlite3.Connection, job_id: int) -> Job:
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFound
    return _as_job(dict(row))


def summarize(connection: sqlite3.Connection, job_id: int) -> None:
    """Bring the columns of a job that describe its versions up to date."""
    connection.execute(
        "UPDATE jobs SET version_count = (SELECT count(*) FROM versions WHERE job_id = jobs.id), "
        "newest_version_id = (SELECT max(id) FROM versions WHERE job_id = jobs.id) WHERE id = ?", (job_id,),
    )  # fmt: skip
    connection.execute(
        "UPDATE jobs SET status = coalesce((SELECT status FROM versions WHERE id = newest_version_id), 0), "
        "start_time = (SELECT start_time FROM versions WHERE id = newest_version_id), "
        "end_time = (SELECT end_time FROM versions WHERE id = newest_version_id) WHERE id = ?", (job_id,),
    )  # fmt: skip


def _engine_type(engine_types: Mapping[int, int]) -> str:
    """The SQL expression for the engine type of a job's newest version."""
    body = "CASE WHEN json_valid(body) THEN json_extract(body, '$.engine_id') END"
    engine_id = f"(SELECT {body} FROM versions WHERE id = newest_version_id)"
    cases = " ".join(f"WHEN {int(number)} THEN {int(kind)}" for number, kind in engine_types.items())
    return f"CASE {engine_id} {cases} ELSE 0 END"


def _version(connection: sqlite3.Connection, job_id: int, version_id: int) -> Version:
    row = connection.execute("SELECT * FROM versions WHERE job_id = ? AND id = ?", (job_id, version_id)).fetchone()
    if row is None:
        raise VersionNotFound
    return _as_version(dict(row))


def _as_job(row: Row) -> Job:
    return rows.read(Job, row)


def _as_version(row: Row) -> Version:
    return rows.read(Version, row)
