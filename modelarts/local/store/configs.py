"""Saved configurations."""

from __future__ import annotations

import json

from modelarts.local.store import rows
from modelarts.local.store.database import Database, Row, now
from modelarts.local.store.records import Config, Page


class Configs:
    """The table of configurations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, name: str, description: str, body: Row) -> None:
        """Store a new configuration. Raises `NameInUse`."""
        with self._db.write() as connection:
            self._db.insert(connection, "configs", name=name, description=description, body=json.dumps(body),
                        create_time=now())  # fmt: skip

    def replace(self, name: str, description: str, body: Row) -> bool:
        """Replace a configuration. Returns whether it exists."""
        with self._db.write() as connection:
            sql = (
                "UPDATE configs SET description = ?, body = ?, "
                "create_time = CASE typeof(create_time) WHEN 'integer' THEN create_time ELSE ? END WHERE name = ?"
            )
            return connection.execute(sql, (description, json.dumps(body), now(), name)).rowcount == 1

    def delete(self, name: str) -> bool:
        """Delete a configuration. Returns whether it existed."""
        with self._db.write() as connection:
            return connection.execute("DELETE FROM configs WHERE name = ?", (name,)).rowcount == 1

    def get(self, name: str) -> Config | None:
        row = self._db.one("SELECT * FROM configs WHERE name = ?", name)
        return None if row is None else rows.read(Config, row)

    def page(self, page: Page) -> tuple[int, list[Config]]:
        """How many configurations match, and one page of them."""
        columns = {"config_name": "name", "config_desc": "description", "create_time": "create_time"}
        total, found = self._db.page("configs", page, columns, "name")
        return total, [rows.read(Config, row) for row in found]
