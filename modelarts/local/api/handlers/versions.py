"""Versions of training jobs."""

from __future__ import annotations

import json
from typing import Any, Callable

from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import INIT, WAITING, JobStatus
from modelarts.local.api import checks
from modelarts.local.api.environment import require
from modelarts.local.api.errors import not_found, wrong_state
from modelarts.local.api.handlers.context import Call, ResponseBody
from modelarts.local.api.handlers.serializers import shared_members
from modelarts.local.api.handlers.training_jobs import created, duration, job_of
from modelarts.local.api.training_settings import TrainingSettings
from modelarts.local.paths import read_json
from modelarts.local.store import BeingDeleted, JobNotFound, VersionNotFound
from modelarts.local.store.records import Job, Version

_STATUS_INTERVAL = 0.1  # seconds between looks at a status while a reply is held back
NO_SAMPLES: dict[str, Any] = {"cpuUsage": [], "memUsage": [], "gpuUtil": []}


def create(call: Call) -> ResponseBody:
    job = job_of(call)
    body = checks.json_object(call.body)
    description = checks.description(body, "job_desc")
    config = TrainingSettings(call.service.catalog).normalize(body.get("config"), for_job=True)
    require(call.service.planner, config)
    previous = checks.integer(body["config"].get("pre_version_id"), "pre_version_id")
    try:
        job, version = call.store.jobs.add_version(job.id, previous, config, description)
    except JobNotFound:
        raise not_found(f"job {job.id}") from None
    except VersionNotFound:
        raise not_found(f"version {previous} of job {job.id}, named as pre_version_id,") from None
    except BeingDeleted:
        raise wrong_state(f"job {job.id} is being deleted") from None
    call.service.scheduler.wake()
    return created(job, version)


def list_page(call: Call) -> ResponseBody:
    """Page 0, the default, has all versions."""
    job = job_of(call)
    per_page, page = call.number("per_page", 10, 1, 1000), call.number("page", 0, 0, limits.PAGES)
    rows = (-1, 0) if page == 0 else (per_page, (page - 1) * per_page)
    return {
        "job_id": job.id,
        "job_name": job.name,
        "job_desc": job.description,
        "version_count": job.version_count,
        "versions": [_members(call, version, as_text=True) for version in call.store.jobs.versions(job.id, *rows)],
    }


def get(call: Call) -> ResponseBody:
    job, version = version_of(call)
    if hold_for_news(call, version, _STATUS_INTERVAL) != version.status:
        job, version = version_of(call)
    return {
        "job_id": job.id,
        "job_name": job.name,
        "job_desc": job.description,
        **_members(call, version, as_text=False),
        **_in_queue(call, version),
    }


def _in_queue(call: Call, version: Version) -> dict[str, Any]:
    """Members that no document has: the place of a queued version, and why it waits."""
    if version.status not in (INIT, WAITING):
        return {}
    place, reason = call.service.scheduler.why_queued(version)
    return {"queue_position": place, "waiting_reason": reason}


def stop(call: Call) -> ResponseBody:
    """End a queued version, or request the end of a running one."""
    _, version = version_of(call)
    if not call.service.scheduler.stop(version):
        _, version = version_of(call)
        raise wrong_state(f"This job can't be stop. job status: {int(version.status)}")
    return {}


def delete(call: Call) -> ResponseBody:
    """A running version is stopped first, and deleted when it has ended."""
    _, version = version_of(call)
    call.service.scheduler.remove(call.store.jobs.delete_version(version))
    return {}


def hold_for_news(
    call: Call, version: Version, interval: float, has_news: Callable[[], bool] = lambda: False
) -> JobStatus:
    """Hold the reply back, if the request prefers that, until there is news or the version's status has changed.

    Returns:
        The current status.
    """
    status = version.status

    def changed() -> bool:
        nonlocal status
        status = call.store.jobs.status(version.id) or version_of(call)[1].status  # which reports a deleted version
        return status != version.status or has_news()

    if call.long_poll.seconds and not status.ended:
        call.long_poll.hold(changed, call.service.scheduler.wait_for_change, interval)
    return status


def version_of(call: Call) -> tuple[Job, Version]:
    """The job and the version that the path names."""
    job = job_of(call)
    version = call.store.jobs.version(job.id, call.identifier("version_id"))
    if version is None:
        raise not_found(f"version {call.path['version_id']} of job {job.id}")
    return job, version


def _samples(stored: Any) -> dict[str, Any]:
    """The samples of a file that a job may have written; none if it does not have the documented form."""
    if not isinstance(stored, dict) or not all(_are_texts(stored.get(name)) for name in NO_SAMPLES):
        return NO_SAMPLES
    more = {name: values for name, values in stored.items() if name == "gpuMemUsage" and _are_texts(values)}
    interval = stored.get("interval")
    timing = {"interval": interval} if isinstance(interval, int) else {}
    return {**{name: stored[name] for name in NO_SAMPLES}, **more, **timing}


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _members(call: Call, version: Version, as_text: bool) -> dict[str, Any]:
    folder = call.service.home.job(version.id)
    system = _samples(read_json(folder.usage))
    metrics = read_json(folder.metrics)
    settings = shared_members(call.service.catalog, version.body)
    return {
        "version_id": version.id,
        "version_name": version.name,
        "pre_version_id": version.pre_version_id,
        "resource_id": version.resource_id,
        "status": version.status,
        "create_time": version.create_time,
        "start_time": version.start_time,
        "duration": duration(version.start_time, version.end_time),
        "error_result": version.reason or version.damage or None,
        "ran_on": version.ran_on,
        "model_metric_list": json.dumps(metrics if isinstance(metrics, dict) else {}),
        "system_metric_list": json.dumps(system) if as_text else system,
        "gpu": None if settings["gpu_num"] is None else settings["gpu_num"] > 0,
        **settings,
    }
