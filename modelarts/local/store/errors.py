"""Why the store did not write: all but failures of SQLite, which are `sqlite3.Error`."""

from __future__ import annotations

import sqlite3


class StoreMoved(sqlite3.OperationalError):
    """The file was removed or replaced while it was open; it may be put back."""


class NameInUse(Exception):
    """Another row of that kind has the name."""


class JobNotFound(Exception):
    """The job does not exist, or not any more."""


class VersionNotFound(Exception):
    """The job has no such version, or not any more."""


class BeingDeleted(Exception):
    """The job's deletion was requested."""
