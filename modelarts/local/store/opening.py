"""Whether a file is the store of its home, before anything is written to it.

A new store counts versions from 1, so that it would replace the folders of those that an earlier one had. So a store
that is missing or empty is refused where there are such folders; so are the file of another program, and one with
damaged pages. Where folders are newer than the store, such as a backup, the next version has a number of its own.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from modelarts.local.store.migrations import STEPS, apply
from modelarts.local.store.records import Config, Job, Version, Visualization

logger = logging.getLogger("modelarts.local")

CHECK_SECONDS = 2.0  # for the pages of a large store
RESTORE = "restore a backup with `modelarts local restore FILE`"
_COLUMNS = "SELECT name FROM pragma_table_info(?)"
_RECORDS: dict[str, type[Any]] = {"jobs": Job, "versions": Version, "configs": Config, "visualizations": Visualization}
_NOT_ITS_FAULT = ("locked", "busy", "disk is full", "unable to open", "disk i/o error", "out of memory", "readonly")
_OF_ONE_ROW = ("NULL value in ", "non-", "CHECK constraint failed", "TEXT value in", "NUMERIC value in")


class StoreRefused(sqlite3.DatabaseError):
    """Why a file is not used as a store, and what to do."""


def check_file(path: Path, jobs: Path) -> None:
    """Refuse a store that is missing or empty where versions have run.

    Args:
        path: the file.
        jobs: the folder with those of the versions.

    Raises:
        StoreRefused: it is.
    """
    if not path.exists():
        _refuse_if_older(jobs, "it is missing")
    elif path.stat().st_size == 0:
        _refuse_if_older(jobs, "it is empty")


def check(connection: sqlite3.Connection, jobs: Path, with_pages: bool) -> None:
    """Refuse the file of another program, and one that is damaged.

    Raises:
        StoreRefused: it is one.
        sqlite3.Error: that cannot be found out.
    """
    try:
        _check_tables(connection, jobs)
        if with_pages:
            _check_pages(connection)
    except StoreRefused:
        raise
    except UnicodeDecodeError:  # by Python, of a message of SQLite that quotes what is damaged
        raise StoreRefused(f"it is damaged (its schema cannot be read); move it elsewhere, and {RESTORE}") from None
    except sqlite3.Error as error:
        if any(text in str(error).lower() for text in _NOT_ITS_FAULT):
            raise
        raise StoreRefused(f"it cannot be read ({error}); move it elsewhere, and {RESTORE}") from None


def _check_tables(connection: sqlite3.Connection, jobs: Path) -> None:
    schema, tables = connection.execute("PRAGMA user_version").fetchone()[0], _columns(connection)
    if not tables and (not schema or schema > len(STEPS)):
        _refuse_if_older(jobs, "it has no tables")
        return
    expected = {"jobs": set(), "versions": set()} if schema > len(STEPS) else _tables(schema)  # `migrate` says more
    if schema < 1 or not all(name in tables and columns <= tables[name] for name, columns in expected.items()):
        found = ", ".join(sorted(tables)[:5]) or "none"
        raise StoreRefused(f"it is not a store of modelarts (its tables: {found}); move it elsewhere, and {RESTORE}")


def _check_pages(connection: sqlite3.Connection) -> None:
    """Look for damaged pages, and repair indexes, which only repeat what is in the rows."""
    deadline = time.monotonic() + CHECK_SECONDS
    serious = _problems(connection, "quick_check", deadline)
    if not serious and _problems(connection, "integrity_check", deadline):
        connection.execute("REINDEX")
        serious = _problems(connection, "integrity_check", deadline)
    if serious:
        raise StoreRefused(f"it is damaged ({serious[0]}); move it elsewhere, and {RESTORE}")


def _problems(connection: sqlite3.Connection, check: str, deadline: float) -> list[str]:
    """What a check finds until a moment; what concerns one row only is just logged."""
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        found = [" ".join(str(row[0]).split()) for row in connection.execute(f"PRAGMA {check}(20)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        logger.info("the store is large: only a part of it was checked")
        return []
    finally:
        connection.set_progress_handler(None, 0)
    problems = [problem for problem in found if problem != "ok"]
    for problem in problems:
        logger.warning("the store is damaged: %s", problem)
    return [problem for problem in problems if not problem.startswith(_OF_ONE_ROW)]


def keep_folders(connection: sqlite3.Connection, jobs: Path) -> None:
    """Let no new version have the number of a folder that exists."""
    highest = max(_numbers(jobs), default=0)
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'versions'").fetchone()
    if highest > (row[0] if row else 0):
        sql = "UPDATE sqlite_sequence SET seq = ?1" if row else "INSERT INTO sqlite_sequence VALUES ('versions', ?1)"
        connection.execute(f"{sql} WHERE name = 'versions'" if row else sql, (highest,))


def _refuse_if_older(jobs: Path, problem: str) -> None:
    if count := len(_numbers(jobs)):
        versions = "a version" if count == 1 else f"{count} versions"
        raise StoreRefused(f"{problem}, but {jobs} has the folders of {versions}: {RESTORE}, or move {jobs} elsewhere "
                           "to begin anew")  # fmt: skip


def _numbers(jobs: Path) -> list[int]:
    try:
        return [int(entry.name) for entry in jobs.iterdir() if entry.name.isdecimal() and len(entry.name) < 19]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _tables(schema: int) -> dict[str, set[str]]:
    """The columns that tables of a schema have at least."""
    if schema == len(STEPS):
        return {name: {field.name for field in attrs.fields(kind)} - {"damage"} for name, kind in _RECORDS.items()}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        apply(connection, 0, schema)
        return _columns(connection)


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    names = [row[0] for row in connection.execute(sql)]
    return {name: {row[0] for row in connection.execute(_COLUMNS, (name,))} for name in names}
