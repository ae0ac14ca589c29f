"""Visualization jobs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from modelarts._wire.v1.status import INIT
from modelarts.local.store import rows
from modelarts.local.store.database import Database, Row, duration, now, placeholders
from modelarts.local.store.records import Page, Visualization


class Visualizations:
    """The table of visualization jobs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, name: str, description: str, workspace_id: str, train_url: str, hours: int | None
    ) -> Visualization:
        """Store a new visualization job. Raises `NameInUse`."""
        with self._db.write() as connection:
            row_id = self._db.insert(
                connection, "visualizations", name=name, description=description, workspace_id=workspace_id,
                train_url=train_url, hours=hours, resource_id=f"visjob{secrets.token_hex(4)}", status=int(INIT),
                create_time=now(),
            )  # fmt: skip
            row = connection.execute("SELECT * FROM visualizations WHERE id = ?", (row_id,)).fetchone()
        return _visualization(dict(row))

    def get(self, row_id: int) -> Visualization | None:
        row = self._db.one("SELECT * FROM visualizations WHERE id = ?", row_id)
        return None if row is None else _visualization(row)

    def page(self, page: Page) -> tuple[int, list[Visualization]]:
        """How many visualization jobs match, and one page of them; without those that are being deleted."""
        columns = {
            "job_id": "id", "job_name": "name", "job_desc": "description", "create_time": "create_time",
            "status": "status", "duration": duration(), "log_dir": "train_url",
        }  # fmt: skip
        total, found = self._db.page("visualizations", page, columns, "id", "NOT delete_requested")
        return total, [_visualization(row) for row in found]

    def with_status(self, *statuses: int) -> list[Visualization]:
        sql = f"SELECT * FROM visualizations WHERE status IN ({placeholders(statuses)}) ORDER BY id"
        return [_visualization(row) for row in self._db.all(sql, *(int(status) for status in statuses))]

    def update_description(self, row_id: int, description: str) -> None:
        with self._db.write() as connection:
            connection.execute("UPDATE visualizations SET description = ? WHERE id = ?", (description, row_id))

    def transition(self, row_id: int, expected: Iterable[int], status: int, **changes: Any) -> bool:
        """Set a status, and other columns, if the status is one of those expected; whether it was."""
        with self._db.write() as connection:
            columns = {"status": int(status), **changes}
            return self._db.compare_and_set(connection, "visualizations", row_id, expected, columns)

    def delete(self, row_id: int) -> None:
        with self._db.write() as connection:
            connection.execute("DELETE FROM visualizations WHERE id = ?", (row_id,))


def _visualization(row: Row) -> Visualization:
    return rows.read(Visualization, row)
