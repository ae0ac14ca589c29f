"""Copies of a store: taken while a service writes to it, and put in its place while none does."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from modelarts._wire.v1.status import INIT, KILLING, RUN_LOST, RUNNING, WAITING
from modelarts.local import files, locks
from modelarts.local.store import opening
from modelarts.local.store.database import now, placeholders
from modelarts.local.store.jobs import summarize
from modelarts.local.store.migrations import migrate

_BESIDE = ("", "-wal", "-shm", "-journal")  # what belongs to the file of a store
_ACTIVE = tuple(map(int, (INIT, WAITING, RUNNING, KILLING)))
# What changes while a version or a visualization job lives.
_CHANGING = {
    "versions": ("status", "start_time", "end_time", "reason", "ran_on", "delete_requested"),
    "visualizations": ("status", "start_time", "end_time", "reason", "port", "pid", "process_started",
                       "delete_requested"),
}  # fmt: skip
_LOST = "nothing is left of it: it was queued or running when the backup was made that was restored"


class NoCopy(Exception):
    """Why a store is not copied, or a copy not restored, as a sentence."""


def save(path: Path, target: Path) -> None:
    """Copy a store to a new file, or in place of an earlier copy.

    Args:
        path: the store; a service may be writing to it.
        target: the copy; only this user may read it.

    Raises:
        NoCopy: there is no store, or the target is something else than a copy of one.
        OSError, sqlite3.Error: it cannot be read or written.
    """
    if not path.exists():
        raise NoCopy(f"there is no store yet ({path})")
    if os.path.lexists(target):
        if path.parent == target.resolve().parent:
            raise NoCopy(f"{target} is a file of the local service itself: choose another name")
        with _explained(target, "is not replaced: {}"):
            _check(target, with_pages=False)
    with _explained(path, "cannot be copied: {}"):
        _check(path, with_pages=True)
    with _part(target) as part:
        _copy(path, part)
        part.replace(target)


@contextmanager
def prepared(source: Path, path: Path) -> Iterator[Path]:
    """A copy beside a store, which is up to date and can be put in its place; it is removed at the end if it was not.

    Args:
        source: a copy of a store, or a store.
        path: the store.

    Raises:
        NoCopy: the source is no store, or that of a newer version of this package.
        OSError, sqlite3.Error: it cannot be read or written.
    """
    with _explained(source, "cannot be restored: {}"):
        _check(source, with_pages=True)
    with _part(path) as part:
        _copy(source, part)
        with _explained(source, "cannot be restored: {}"), _opened(part) as connection:
            migrate(connection)
        yield part


def put_in_place(part: Path, path: Path, jobs: Path) -> Path | None:
    """Let a prepared copy take the place of a store that nobody uses. Returns under which name that is kept.

    What has ended since the copy was made has ended in it, too, so that nothing runs twice.

    Raises:
        NoCopy: a version or a TensorBoard that is queued or running is not in the copy.
    """
    with locks.locked(path.with_suffix(".lock")):
        is_store = _is_store(path)
        with _opened(part) as connection:
            _take_over(connection, path if is_store else None, jobs)
        kept = _keep(path)
        part.replace(path)
        return kept


def _check(path: Path, with_pages: bool) -> None:
    files.open_regular(path.resolve()).close()
    if not path.stat().st_size:
        raise opening.StoreRefused("it is empty")
    with _opened(path) as connection:
        opening.check(connection, path.with_name("no jobs"), with_pages)
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise opening.StoreRefused("it has no tables")


def _is_store(path: Path) -> bool:
    try:
        _check(path, with_pages=True)
        with _opened(path) as connection:
            migrate(connection)
    except (OSError, sqlite3.Error):
        return False
    return True


@contextmanager
def _explained(path: Path, sentence: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NoCopy(f"{path} does not exist") from None
    except files.NotRegular as error:
        raise NoCopy(f"{path} {sentence.format(f'it {error.strerror}')}") from None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise NoCopy(f"{path} {sentence.format(str(error).partition('; move it')[0])}") from None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    with suppress(FileNotFoundError):
        part.unlink()
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield part
    finally:
        for end in _BESIDE:
            Path(f"{part}{end}").unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    with _opened(source) as connection, _opened(part) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _take_over(connection: sqlite3.Connection, current: Path | None, jobs: Path) -> None:
    """Bring what was queued or running up to date with what has happened since."""
    connection.execute("ATTACH ? AS old", (str(current) if current else ":memory:",))
    connection.execute("BEGIN IMMEDIATE")
    if current:
        for table, columns in _CHANGING.items():
            _refuse_missing(connection, table)
            same = f"old.{table} AS now WHERE now.id = {table}.id AND now.resource_id = {table}.resource_id"
            values = ", ".join(f"{column} = (SELECT {column} FROM {same})" for column in columns)
            connection.execute(f"UPDATE main.{table} SET {values} WHERE EXISTS (SELECT 1 FROM {same})")
        _keep_numbers(connection)
    sql = f"SELECT id, status, start_time FROM main.versions WHERE status IN ({placeholders(_ACTIVE)})"
    for row in connection.execute(sql, _ACTIVE).fetchall():
        change = _change(row, jobs.joinpath(str(row["id"]), "spec.json"), current and not _is_in(connection, row["id"]))
        sets = ", ".join(f"{column} = ?" for column in change)
        connection.execute(f"UPDATE main.versions SET {sets} WHERE id = ?", (*change.values(), row["id"]))
    for row in connection.execute("SELECT id FROM main.jobs").fetchall():
        summarize(connection, row["id"])
    connection.execute("COMMIT")
    connection.execute("DETACH old")


def _change(row: sqlite3.Row, spec: Path, was_deleted: object) -> dict[str, Any]:
    """What becomes of a version that was queued or running when the copy was made, or is so now."""
    status, began = row["status"], row["start_time"]
    if spec.exists():  # it was started: its folder says what became of it
        return {"status": max(status, int(RUNNING)), "start_time": began or int(spec.stat().st_mtime * 1000)}
    if status in (RUNNING, KILLING) or was_deleted:
        return {"status": int(RUN_LOST), "reason": _LOST, "end_time": now()}
    return {"status": status}  # it starts when it is its turn


def _keep_numbers(connection: sqlite3.Connection) -> None:
    """Let no new row have the id of one that is not in the copy."""
    sql = "SELECT name, max(seq) AS seq FROM (SELECT * FROM old.sqlite_sequence UNION ALL "
    rows = connection.execute(f"{sql} SELECT * FROM main.sqlite_sequence) GROUP BY name").fetchall()
    connection.execute("DELETE FROM main.sqlite_sequence")
    connection.executemany("INSERT INTO main.sqlite_sequence VALUES (?, ?)", [tuple(row) for row in rows])


def _is_in(connection: sqlite3.Connection, version_id: int) -> bool:
    return connection.execute("SELECT 1 FROM old.versions WHERE id = ?", (version_id,)).fetchone() is not None


def _refuse_missing(connection: sqlite3.Connection, table: str) -> None:
    """Refuse a copy without what is queued or running: it would run on, and nobody would follow it."""
    name = "(SELECT name FROM old.jobs WHERE id = now.job_id) || ' ' || now.name" if table == "versions" else "now.name"
    sql = (
        f"SELECT {name} AS name FROM old.{table} AS now WHERE now.status IN ({placeholders(_ACTIVE)}) AND NOT EXISTS "
        f"(SELECT 1 FROM main.{table} AS kept WHERE kept.id = now.id AND kept.resource_id = now.resource_id)"
    )
    names = [str(row["name"]) for row in connection.execute(sql, _ACTIVE)]
    if names:
        connection.execute("ROLLBACK")
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise NoCopy(f"the backup does not have what is queued or running now ({shown}): stop that first")


def _keep(path: Path) -> Path | None:
    """Give a store, with what belongs to it, another name. Returns it. Its own name stays until it is replaced."""
    if not path.exists():
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}-before-restore-{stamp}-{os.getpid()}{path.suffix}")
    for end in _BESIDE[1:]:
        with suppress(FileNotFoundError):
            Path(f"{path}{end}").rename(f"{kept}{end}")
    try:
        os.link(path, kept)
    except OSError:  # there are file systems without hard links
        path.rename(kept)
    return kept
