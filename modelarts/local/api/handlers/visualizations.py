"""Visualization jobs."""

from __future__ import annotations

from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, KILLING, RUN_FAILED, RUNNING
from modelarts.local import tensorboard
from modelarts.local.api import checks
from modelarts.local.api.errors import bad_value, missing, name_taken, unavailable, wrong_state
from modelarts.local.api.handlers.context import JOB_FILTERS, Answer, Call
from modelarts.local.api.handlers.training_jobs import QUOTA, duration
from modelarts.local.store import NameInUse
from modelarts.local.store.records import Visualization

ENDED = (COMPLETED, RUN_FAILED, KILLED)
SORTS = ("job_id", "job_name", "job_desc", "create_time", "status", "duration", "log_dir")  # SORT


def create(call: Call) -> Answer:
    body = checks.body_of(call.body)
    name = body.get("job_name")
    if not isinstance(name, str) or not limits.VISUALIZATION_NAME.fullmatch(name):
        raise bad_value(f"Illegal name: {name} (job_name must be {limits.VISUALIZATION_NAME_RULE})")
    description = checks.description(body, "job_desc")
    train_url = checks.folder(body, "train_url")
    if not train_url:
        raise bad_value("train_url is required: the OBS folder of the event files")
    hours = _hours(body.get("schedule"))
    _check_flavor(body.get("flavor"))
    _viewer(checks.text(body, "job_type", "tensorboard"))
    workspace_id = checks.text(body, "workspace_id", "0")
    try:
        made = call.store.visualizations.add(name, description, workspace_id, train_url.api, hours)
    except NameInUse:
        raise name_taken("Job", name) from None
    call.service.tensorboards.wake()
    members = _members(made)
    return {member: members[member] for member in ("job_id", "job_name", "status", "create_time", "service_url")}


def listed(call: Call) -> Answer:
    total, rows = call.store.visualizations.page(call.page(SORTS, "job_id", "asc", JOB_FILTERS))
    return {
        "job_total_count": total,
        "job_count_limit": QUOTA,
        "quotas": QUOTA,
        "jobs": [_members(row) for row in rows],
    }


def get(call: Call) -> Answer:
    return _members(_named(call))


def describe(call: Call) -> Answer:
    row = _named(call)
    call.store.visualizations.describe(row.id, checks.description(checks.body_of(call.body), "job_desc", needed=True))
    return {}


def delete(call: Call) -> Answer:
    """A running one is stopped first; one that is being stopped is refused."""
    row = _named(call)
    if not call.store.visualizations.transition(row.id, (INIT, RUNNING, *ENDED), KILLING, delete_requested=1):
        raise wrong_state(f"This job can't be delete. job status: {int(_named(call).status)}")
    call.service.tensorboards.wake()
    return {}


def stop(call: Call) -> Answer:
    row = _named(call)
    if not call.store.visualizations.transition(row.id, (INIT, RUNNING), KILLING):
        raise wrong_state(f"This job can't be stop. job status: {int(_named(call).status)}")
    call.service.tensorboards.wake()
    return {}


def restart(call: Call) -> Answer:
    row = _named(call)
    _viewer("tensorboard")
    anew = {"pid": None, "port": None, "start_time": None, "end_time": None, "reason": None}
    if not call.store.visualizations.transition(row.id, ENDED, INIT, **anew):
        raise wrong_state(f"This job can't be resubmit. job status: {int(_named(call).status)}")
    call.service.tensorboards.wake()
    return {}


def _named(call: Call) -> Visualization:
    row = call.store.visualizations.get(call.identifier("job_id"))
    if row is None or row.delete_requested:
        raise missing(f"visualization job {call.path['job_id']}")
    return row


def _viewer(kind: str) -> None:
    if kind.lower() not in limits.VISUALIZATION_TYPES:
        raise bad_value(f"job_type must be tensorboard or mindinsight, got {kind!r}")
    if kind.lower() == "mindinsight":
        raise unavailable("MindInsight is not served locally; use job_type tensorboard")
    if not tensorboard.is_installed():
        raise unavailable("TensorBoard is not installed: run `pip install 'modelarts[tensorboard]'`")


def _check_flavor(flavor: Any) -> None:
    """TensorBoards run on this machine, whatever flavor is requested."""
    if flavor is not None and not (isinstance(flavor, dict) and checks.text(flavor, "code")):
        raise bad_value("flavor must be an object with code")


def _hours(schedule: Any) -> int | None:
    """The running time; the object of the tables and the list of the samples are both taken (SCHEDULE)."""
    items = schedule if isinstance(schedule, list) else [] if schedule is None else [schedule]
    if not items:
        return None
    if len(items) > 1 or not isinstance(items[0], dict):
        raise bad_value(f"schedule must be one object with type, time_unit and duration, got {schedule!r}")
    item = items[0]
    if str(item.get("type")).lower() != "stop":
        raise bad_value(f"schedule.type must be stop, got {item.get('type')!r}")
    if str(item.get("time_unit", item.get("timeUnit"))).upper() != "HOURS":
        raise bad_value(f"schedule.time_unit must be HOURS, got {item.get('time_unit', item.get('timeUnit'))!r}")
    return checks.integer(item.get("duration"), "schedule.duration", 0, limits.VISUALIZATION_HOURS)


def _members(row: Visualization) -> Answer:
    url = f"http://127.0.0.1:{row.port}/" if row.port and row.status in (INIT, RUNNING) else ""
    # Answers are printed with timeUnit, requests with time_unit (SCHEDULE).
    hours = {"type": "stop", "timeUnit": "HOURS", "time_unit": "HOURS", "duration": row.hours}
    schedule = [hours] if row.hours is not None else []
    return {
        "job_id": row.id, "job_name": row.name, "job_desc": row.description, "status": row.status,
        "create_time": row.create_time, "duration": duration(row.start_time, row.end_time), "service_url": url,
        "train_url": ObsPath.parse(row.train_url).api, "resource_id": row.resource_id, "schedule": schedule,
        "remaining_duration": tensorboard.remaining(row) if row.status == RUNNING else None, "error_result": row.reason,
    }  # fmt: skip
