"""The rows of the store as values. Times are epoch milliseconds."""

from __future__ import annotations

from typing import Any

import attrs

from modelarts._wire.v1.status import JobStatus


@attrs.frozen
class Config:
    """A saved configuration; `body` is its settings, normalized."""

    name: str
    description: str
    body: dict[str, Any]
    create_time: int
    damage: str = ""


@attrs.frozen
class Job:
    """A training job, with status and times of its newest version; without a version the status is 0."""

    id: int
    name: str
    description: str
    workspace_id: str
    create_time: int
    versions_created: int
    version_count: int
    newest_version_id: int | None
    delete_requested: bool
    status: JobStatus
    start_time: int | None
    end_time: int | None


@attrs.frozen
class Version:
    """A version of a job; `body` is its settings, normalized; `damage` says what cannot be read of its row."""

    id: int
    job_id: int
    name: str
    pre_version_id: int | None
    body: dict[str, Any]
    resource_id: str
    status: JobStatus
    create_time: int
    start_time: int | None
    end_time: int | None
    reason: str | None
    ran_on: str | None
    delete_requested: bool
    damage: str = ""

    @property
    def workers(self) -> int:
        """The number of its nodes."""
        count = self.body.get("worker_server_num")
        return count if isinstance(count, int) and count > 0 else 1


@attrs.frozen
class VersionEnd:
    """Which version it is, and whether and when it ended."""

    id: int
    job_name: str
    name: str
    status: JobStatus
    end_time: int | None


@attrs.frozen
class Visualization:
    """A visualization job, and the process that serves it."""

    id: int
    name: str
    description: str
    workspace_id: str
    train_url: str
    hours: int | None
    resource_id: str
    status: JobStatus
    create_time: int
    start_time: int | None
    end_time: int | None
    reason: str | None
    port: int | None
    pid: int | None
    process_started: float | None
    delete_requested: bool


@attrs.frozen
class Page:
    """Which rows of a list to return, and in which order; rows with equal keys are in the order of their ids."""

    sort: str
    descending: bool = False
    limit: int = -1
    offset: int = 0
    search: str = ""
    statuses: tuple[int, ...] = ()
    workspace_id: str | None = None
