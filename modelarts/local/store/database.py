"""One SQLite file: one writer at a time, every commit on the disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable

from modelarts.local import locks
from modelarts.local.store import opening
from modelarts.local.store.errors import NameInUse, StoreMoved
from modelarts.local.store.migrations import migrate
from modelarts.local.store.records import Page

Row = dict[str, Any]

_text = partial(str, encoding="utf-8", errors="replace")  # damaged text costs what is damaged only


class Database:
    """Connections to one file; writers take turns.

    A call takes the connection that was used last, whatever thread it is in: its cache is the one that is up to date.
    """

    def __init__(self, path: Path, jobs: Path, with_pages: bool = False) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None  # device and inode of the file, once it is open
        self._opened: list[sqlite3.Connection] = []
        self._idle: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        # SQLite does not wait for other processes when it switches a new file to WAL.
        with locks.locked(path.with_suffix(".lock")):
            opening.check_file(path, jobs)
            try:
                with self._connection(lambda connection: opening.check(connection, jobs, with_pages)) as connection:
                    migrate(connection)
                    opening.keep_folders(connection, jobs)
                    self._file = _identity(path)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._idle.clear()
        while self._opened:
            self._opened.pop().close()

    @contextmanager
    def _connection(self, check: Callable[[sqlite3.Connection], None] = lambda _: None) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect(check)
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _require_file(self) -> None:
        """Raise `StoreMoved` if the file is not the one that was opened: what is written to that would be lost."""
        if self._file is not None and _identity(self._path) != self._file:
            raise StoreMoved(
                f"the store {self._path} was removed or replaced while the service runs: put it back, or stop the "
                f"service and {opening.RESTORE}"
            )

    def _connect(self, check: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        self._require_file()
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.text_factory = _text
            check(connection)  # before anything is written
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        except BaseException:
            connection.close()
            raise
        self._opened.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction, which is rolled back when the block raises an exception."""
        with self._writing, self._connection() as connection:
            self._require_file()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def all(self, sql: str, *values: Any) -> list[Row]:
        with self._connection() as connection:
            return [dict(row) for row in connection.execute(sql, values)]

    def one(self, sql: str, *values: Any) -> Row | None:
        with self._connection() as connection:
            row = connection.execute(sql, values).fetchone()
            return None if row is None else dict(row)

    def insert(self, connection: sqlite3.Connection, table: str, **columns: Any) -> int:
        """Insert a row and return its id. Raises `NameInUse`."""
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders(columns)})"
        try:
            return connection.execute(sql, tuple(columns.values())).lastrowid or 0
        except sqlite3.IntegrityError:
            raise NameInUse from None

    def compare_and_set(
        self, connection: sqlite3.Connection, table: str, row_id: int, expected: Iterable[int], columns: Row
    ) -> bool:
        """Set columns of a row if its status is one of those expected; whether it was."""
        before = [int(status) for status in expected]
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE {table} SET {sets} WHERE id = ? AND status IN ({placeholders(before)})"
        return connection.execute(sql, (*columns.values(), row_id, *before)).rowcount == 1

    def page(self, table: str, page: Page, columns: Row, row_id: str, where: str = "") -> tuple[int, list[Row]]:
        """How many rows match, and those of one page.

        Args:
            table: the table to read.
            page: filters, order, and which rows of it.
            columns: the SQL expression of each documented sort field.
            row_id: the column that orders rows with equal keys.
            where: a condition that all rows must meet.
        """
        conditions = [where] if where else []
        values: list[Any] = []
        if page.search:
            conditions.append("instr(name, ?)")
            values.append(page.search)
        if page.statuses:
            conditions.append(f"status IN ({placeholders(page.statuses)})")
            values.extend(page.statuses)
        if page.workspace_id is not None:
            conditions.append("workspace_id = ?")
            values.append(page.workspace_id)
        matching = f"FROM {table} WHERE {' AND '.join(conditions)}" if conditions else f"FROM {table}"
        total = self.one(f"SELECT count(*) AS n {matching}", *values)
        order = "DESC" if page.descending else "ASC"
        sql = f"SELECT * {matching} ORDER BY {columns[page.sort]} {order}, {row_id} {order} LIMIT ? OFFSET ?"
        return (total or {"n": 0})["n"], self.all(sql, *values, page.limit, page.offset)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def duration() -> str:
    """The SQL expression for the milliseconds that a row has run, from its `start_time` to its `end_time` or now."""
    return f"CASE WHEN start_time IS NULL THEN 0 ELSE max(0, coalesce(end_time, {now()}) - start_time) END"


def now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def placeholders(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
