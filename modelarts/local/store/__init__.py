"""All SQL of the local service."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from modelarts.local.store.configs import Configs
from modelarts.local.store.database import Database, now
from modelarts.local.store.datasets import Datasets
from modelarts.local.store.errors import BeingDeleted, JobNotFound, NameInUse, VersionNotFound
from modelarts.local.store.jobs import Jobs
from modelarts.local.store.visualizations import Visualizations

__all__ = [
    "BeingDeleted", "JobNotFound", "NameInUse", "Store", "StoreError", "StoreUnavailable", "VersionNotFound", "now",
]  # fmt: skip

StoreError = sqlite3.Error
StoreUnavailable = sqlite3.OperationalError  # the file cannot be read or written now: locked, a full disk


class Store:
    """The tables of one file. Raises `OSError` or `StoreError` if it cannot be opened.

    Args:
        path: the file.
        with_pages: whether to look for damaged pages, which takes up to some seconds.
    """

    def __init__(self, path: Path, with_pages: bool = False) -> None:
        self._database = Database(path, path.with_name("jobs"), with_pages)
        self.configs = Configs(self._database)
        self.jobs = Jobs(self._database)
        self.datasets = Datasets(self._database)
        self.visualizations = Visualizations(self._database)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._database.close()
