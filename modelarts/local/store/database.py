"""One SQLite file: a connection for each thread, one writer at a time, every commit on the disk."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelarts.local.store.errors import NameInUse
from modelarts.local.store.migrations import migrate
from modelarts.local.store.records import Page

Row = dict[str, Any]


class Database:
    """Connections to one file: one for each thread; writers take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        # SQLite does not wait for other processes when it switches a new file to WAL.
        with path.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
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
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or nothing."""
        with self._writing:
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def all(self, sql: str, *values: Any) -> list[Row]:
        return [dict(row) for row in self._connection.execute(sql, values)]

    def one(self, sql: str, *values: Any) -> Row | None:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else dict(row)

    def insert(self, connection: sqlite3.Connection, table: str, **columns: Any) -> int:
        """Insert a row; its id. Raises `NameInUse` for a name that is taken."""
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders(columns)})"
        try:
            return connection.execute(sql, tuple(columns.values())).lastrowid or 0
        except sqlite3.IntegrityError:
            raise NameInUse from None

    def compare_and_set(self, table: str, row_id: int, expected: Iterable[int], columns: Row) -> bool:
        """Change a row if its status is still one of those expected; whether this call won."""
        before = [int(status) for status in expected]
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE {table} SET {sets} WHERE id = ? AND status IN ({placeholders(before)})"
        with self.write() as connection:
            return connection.execute(sql, (*columns.values(), row_id, *before)).rowcount == 1

    def page(
        self, shown: str, source: str, page: Page, columns: Row, row_id: str, name: str = "name",
        workspace: str = "workspace_id",
    ) -> tuple[int, list[Row]]:  # fmt: skip
        """How many rows match, and those of one page. `columns` maps documented sort fields to expressions."""
        where: list[str] = []
        values: list[Any] = []
        if page.search:
            where.append(f"instr({name}, ?)")
            values.append(page.search)
        if page.statuses:
            where.append(f"{columns['status']} IN ({placeholders(page.statuses)})")
            values.extend(page.statuses)
        if page.workspace_id is not None:
            where.append(f"{workspace} = ?")
            values.append(page.workspace_id)
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        # Counting needs the join only when something of it is asked for.
        counted = source if page.statuses else source.partition(" LEFT JOIN ")[0]
        total = self.one(f"SELECT count(*) AS n FROM {counted}{tail}", *values)
        way = "DESC" if page.descending else "ASC"
        sql = f"SELECT {shown} FROM {source}{tail} ORDER BY {columns[page.sort]} {way}, {row_id} {way} LIMIT ? OFFSET ?"
        return (total or {"n": 0})["n"], self.all(sql, *values, page.limit, page.offset)


def now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def placeholders(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
