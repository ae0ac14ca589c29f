"""Training jobs."""

from __future__ import annotations

from modelarts._wire.status import JOB_STATE, JobStatus
from modelarts.local import checks
from modelarts.local.handlers.context import Answer, Call
from modelarts.local.refusals import bad_value, name_taken
from modelarts.local.store import Job, JobRow, NameInUse, Version, now

QUOTA = 1_000_000  # the local service limits neither jobs nor runs; the documents want numbers
SORTS = ("job_name", "job_desc", "status", "duration", "version_count", "create_time")


def create(call: Call) -> Answer:
    body = checks.body_of(call.body)
    name = checks.name(body, "job_name")
    description = checks.description(body, "job_desc")
    workspace_id = checks.text(body, "workspace_id", "0")
    config = checks.TrainingChecks(call.service.catalog).config(body.get("config"), for_job=True)
    with_version = body["config"].get("create_version") is not False
    try:
        job, version = call.store.add_job(name, description, workspace_id, config, with_version)
    except NameInUse:
        raise name_taken("Job", name) from None
    call.service.scheduler.wake()
    return made(job, version)


def listed(call: Call) -> Answer:
    search = call.query.get("search_content", "")
    if len(search) > 100:
        raise bad_value("search_content must have 0 to 100 characters")
    per_page = call.number("per_page", 10, 1, 1000)
    page = call.number("page", 1, 1, 65535)
    sort = call.choice("sortBy", call.choice("sort_by", "job_name", SORTS), SORTS)
    descending = call.choice("order", "asc", ("asc", "desc")) == "desc"
    total, rows = call.store.jobs(
        statuses(call.query.get("status", "")), search, call.query.get("workspace_id"), sort, descending,
        per_page, (page - 1) * per_page,
    )  # fmt: skip
    return {
        "job_total_count": total,
        "job_count_limit": QUOTA,
        "quotas": QUOTA,
        "jobs": [_row(row) for row in rows],
    }


def made(job: Job, version: Version | None) -> Answer:
    """What creating a job or a version answers."""
    answer: Answer = {"job_id": job.id, "job_name": job.name, "create_time": job.create_time, "status": JobStatus(0)}
    if version is not None:
        answer.update(
            version_id=version.id, version_name=version.name, resource_id=version.resource_id,
            status=version.status, create_time=version.create_time,
        )  # fmt: skip
    return answer


def statuses(text: str) -> list[int]:
    """A status filter: a number or a name, or several joined by a vertical bar."""
    return [_status(item.strip()) for item in text.split("|")] if text.strip() else []


def _status(item: str) -> int:
    if item.isdigit() and int(item) < len(JOB_STATE):
        return int(item)
    for number, name in enumerate(JOB_STATE):
        if item.upper() in (name, name.replace("JOBSTAT_", "", 1)):
            return number
    raise bad_value(f"status must be a number from 0 to {len(JOB_STATE) - 1} or a status name, got {item!r}")


def duration(start_time: int | None, end_time: int | None) -> int:
    """Milliseconds that a version has run."""
    return 0 if start_time is None else max(0, (end_time or now()) - start_time)


def _row(row: JobRow) -> Answer:
    return {
        "job_id": row.job.id, "job_name": row.job.name, "job_desc": row.job.description,
        "create_time": row.job.create_time, "version_id": row.version_id, "version_count": row.version_count,
        "status": row.status, "duration": duration(row.start_time, row.end_time),
    }  # fmt: skip
