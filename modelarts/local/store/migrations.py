"""The schema of the store, as steps. Each step is applied once, in one transaction with the number of steps applied."""

from __future__ import annotations

import sqlite3

STEPS = (
    (
        "first",
        """
        CREATE TABLE configs (
            name TEXT PRIMARY KEY,
            description TEXT NOT NULL,
            body TEXT NOT NULL,
            create_time INTEGER NOT NULL
        );
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            workspace_id TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            versions_made INTEGER NOT NULL DEFAULT 0,
            version_count INTEGER NOT NULL DEFAULT 0,
            newest_version_id INTEGER,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX jobs_by_time ON jobs (create_time, id);
        CREATE TABLE versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job_id INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            pre_version_id INTEGER,
            body TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            status INTEGER NOT NULL,
            create_time INTEGER NOT NULL,
            start_time INTEGER,
            end_time INTEGER,
            reason TEXT,
            ran_on TEXT,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX versions_by_job ON versions (job_id, id);
        CREATE INDEX versions_by_status ON versions (status);
        CREATE TABLE datasets (
            dataset_id TEXT NOT NULL,
            version_id TEXT NOT NULL,
            url TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            PRIMARY KEY (dataset_id, version_id)
        );
        CREATE TABLE visualizations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            workspace_id TEXT NOT NULL,
            train_url TEXT NOT NULL,
            hours INTEGER,
            resource_id TEXT NOT NULL,
            status INTEGER NOT NULL,
            create_time INTEGER NOT NULL,
            start_time INTEGER,
            end_time INTEGER,
            reason TEXT,
            port INTEGER,
            pid INTEGER,
            process_started REAL,
            delete_asked INTEGER NOT NULL DEFAULT 0
        );
        """,
    ),
    (
        "plain column names",
        """
        ALTER TABLE jobs RENAME COLUMN delete_asked TO delete_requested;
        ALTER TABLE jobs RENAME COLUMN versions_made TO versions_created;
        ALTER TABLE versions RENAME COLUMN delete_asked TO delete_requested;
        ALTER TABLE visualizations RENAME COLUMN delete_asked TO delete_requested;
        """,
    ),
    (
        "the newest version of a job as columns of the job, for lists",
        """
        ALTER TABLE jobs ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN start_time INTEGER;
        ALTER TABLE jobs ADD COLUMN end_time INTEGER;
        UPDATE jobs SET
            status = coalesce((SELECT status FROM versions WHERE id = newest_version_id), 0),
            start_time = (SELECT start_time FROM versions WHERE id = newest_version_id),
            end_time = (SELECT end_time FROM versions WHERE id = newest_version_id);
        CREATE INDEX jobs_by_status ON jobs (status, name);
        """,
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store up to date; several processes may do so at once.

    Raises `sqlite3.DatabaseError` for a store that a newer version of this package wrote.
    """
    if _applied(connection) == len(STEPS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        apply(connection, _applied(connection), len(STEPS))  # read again: another process may have been first
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def apply(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Apply the steps from one schema to another."""
    for _, script in STEPS[first:last]:
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {last}")


def _applied(connection: sqlite3.Connection) -> int:
    applied: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if applied > len(STEPS):
        raise sqlite3.DatabaseError(
            f"the store has schema {applied}, and this version of modelarts supports schemas up to {len(STEPS)}: "
            "upgrade modelarts"
        )
    return applied
