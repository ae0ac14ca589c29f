"""Folders registered as datasets."""

from __future__ import annotations

from modelarts.local.store.database import Database, now


class Datasets:
    """The table of dataset versions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, dataset_id: str, version_id: str, url: str) -> None:
        """Register a folder under an id and a version, in place of an earlier one."""
        with self._db.write() as connection:
            row = (dataset_id, version_id, url, now())
            connection.execute("INSERT OR REPLACE INTO datasets VALUES (?, ?, ?, ?)", row)

    def url(self, dataset_id: str, version_id: str) -> str | None:
        """The folder of a registered dataset version."""
        row = self._db.one("SELECT url FROM datasets WHERE dataset_id = ? AND version_id = ?", dataset_id, version_id)
        return None if row is None else str(row["url"])

    def all(self) -> list[tuple[str, str, str]]:
        """All registered dataset versions with their folders."""
        rows = self._db.all("SELECT dataset_id, version_id, url FROM datasets ORDER BY dataset_id, version_id")
        return [(row["dataset_id"], row["version_id"], row["url"]) for row in rows]

    def remove(self, dataset_id: str, version_id: str) -> bool:
        """Remove a registration. Returns whether it existed."""
        with self._db.write() as connection:
            sql = "DELETE FROM datasets WHERE dataset_id = ? AND version_id = ?"
            return connection.execute(sql, (dataset_id, version_id)).rowcount == 1
