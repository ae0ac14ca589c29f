"""Training jobs."""

from __future__ import annotations

from typing import Any

from modelarts._wire.v1.status import JobStatus
from modelarts.local.api import checks
from modelarts.local.api.environment import require
from modelarts.local.api.errors import name_taken, not_found
from modelarts.local.api.handlers.context import JOB_FILTERS, Call, ResponseBody
from modelarts.local.api.training_settings import TrainingSettings
from modelarts.local.store import BeingDeleted, JobNotFound, NameInUse, VersionNotFound, now
from modelarts.local.store.records import Job, Version

QUOTA = 1_000_000  # the local service has no limits; the documents require numbers
SORTS = ("job_name", "job_desc", "status", "duration", "version_count", "create_time", "engine_type")  # SORT


def create(call: Call) -> ResponseBody:
    body = checks.json_object(call.body)
    name = checks.name(body, "job_name")
    description = checks.description(body, "job_desc")
    workspace_id = checks.text(body, "workspace_id", "0")
    config = TrainingSettings(call.service.catalog).normalize(body.get("config"), for_job=True)
    require(call.service.planner, config)
    with_version = body["config"].get("create_version") is not False
    try:
        job, version = call.store.jobs.add(name, description, workspace_id, config, with_version)
    except NameInUse:
        if not checks.boolean(body, "again", False):
            raise name_taken("Job", name) from None
        job, version = _debugged_again(call, name, config)
    call.service.scheduler.wake()
    return created(job, version)


def _debugged_again(call: Call, name: str, config: dict[str, Any]) -> tuple[Job, Version]:
    """The next version of a job that was debugged on this machine, which needs no new name each time."""
    jobs = call.store.jobs
    job = jobs.named(name)
    versions = jobs.versions(job.id) if job is not None else []
    if job is None or not any(call.service.catalog.is_debugging(version.body) for version in versions):
        raise name_taken("Job", name)
    try:
        return jobs.add_version(job.id, versions[0].id, config)
    except (BeingDeleted, JobNotFound, VersionNotFound):
        raise name_taken("Job", name) from None


def list_page(call: Call) -> ResponseBody:
    page = call.page(SORTS, "job_name", "asc", JOB_FILTERS)
    total, jobs = call.store.jobs.page(page, call.service.catalog.engine_types)
    return {
        "job_total_count": total,
        "job_count_limit": QUOTA,
        "quotas": QUOTA,
        "jobs": [_row(job) for job in jobs],
    }


def update_description(call: Call) -> ResponseBody:
    job = job_of(call)
    description = checks.description(checks.json_object(call.body), "job_desc", required=True)
    call.store.jobs.update_description(job.id, description)
    return {}


def delete(call: Call) -> ResponseBody:
    """Running versions are stopped first; they and the job are deleted when they have ended."""
    job = job_of(call)
    call.service.scheduler.remove(call.store.jobs.delete(job.id))
    return {}


def job_of(call: Call) -> Job:
    """The job that the path names."""
    job = call.store.jobs.get(call.identifier("job_id"))
    if job is None:
        raise not_found(f"job {call.path['job_id']}")
    return job


def created(job: Job, version: Version | None) -> ResponseBody:
    """The response to creating a job or a version."""
    members: ResponseBody = {
        "job_id": job.id, "job_name": job.name, "create_time": job.create_time, "status": JobStatus(0),
    }  # fmt: skip
    if version is not None:
        members.update(
            version_id=version.id, version_name=version.name, resource_id=version.resource_id,
            status=version.status, create_time=version.create_time,
        )  # fmt: skip
    return members


def duration(start_time: int | None, end_time: int | None) -> int:
    """Milliseconds that a version has run."""
    return 0 if start_time is None else max(0, (end_time or now()) - start_time)


def _row(job: Job) -> ResponseBody:
    return {
        "job_id": job.id, "job_name": job.name, "job_desc": job.description, "create_time": job.create_time,
        "version_id": job.newest_version_id, "version_count": job.version_count, "status": job.status,
        "duration": duration(job.start_time, job.end_time),
    }  # fmt: skip
