"""Visualization jobs."""

from __future__ import annotations

from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, KILLING, RUN_FAILED, RUNNING
from modelarts.local import tensorboard
from modelarts.local.api import checks
from modelarts.local.api.errors import bad_value, name_taken, not_found, unavailable, wrong_state
from modelarts.local.api.handlers.context import JOB_FILTERS, Call, ResponseBody
from modelarts.local.api.handlers.training_jobs import QUOTA, duration
from modelarts.local.store import NameInUse
from modelarts.local.store.records import Visualization

ENDED = (COMPLETED, RUN_FAILED, KILLED)
SORTS = ("job_id", "job_name", "job_desc", "create_time", "status", "duration", "log_dir")  # SORT


def create(call: Call) -> ResponseBody:
    body = checks.json_object(call.body)
    name = body.get("job_name")
    if not isinstance(name, str) or not limits.VISUALIZATION_NAME.fullmatch(name):
        raise bad_value(f"Illegal name: {str(name)[:80]} (job_name must be {limits.VISUALIZATION_NAME_RULE})")
    description = checks.description(body, "job_desc")
    train_url = checks.folder(body, "train_url")
    if not train_url:
        raise bad_value("train_url is required: the OBS folder of the event files")
    hours = _hours(body.get("schedule"))
    _check_flavor(body.get("flavor"))
    _check_type(checks.text(body, "job_type", "tensorboard"))
    workspace_id = checks.text(body, "workspace_id", "0")
    try:
        created = call.store.visualizations.add(name, description, workspace_id, train_url.api, hours)
    except NameInUse:
        raise name_taken("Job", name) from None
    call.service.tensorboards.wake()
    members = _members(created)
    return {member: members[member] for member in ("job_id", "job_name", "status", "create_time", "service_url")}


def list_page(call: Call) -> ResponseBody:
    total, rows = call.store.visualizations.page(call.page(SORTS, "job_id", "asc", JOB_FILTERS))
    return {
        "job_total_count": total,
        "job_count_limit": QUOTA,
        "quotas": QUOTA,
        "jobs": [_members(row) for row in rows],
    }


def get(call: Call) -> ResponseBody:
    return _members(_requested(call))


def update_description(call: Call) -> ResponseBody:
    row = _requested(call)
    description = checks.description(checks.json_object(call.body), "job_desc", required=True)
    call.store.visualizations.update_description(row.id, description)
    return {}


def delete(call: Call) -> ResponseBody:
    """A running one is stopped first; one that is being stopped is refused."""
    row = _requested(call)
    if not call.store.visualizations.transition(row.id, (INIT, RUNNING, *ENDED), KILLING, delete_requested=1):
        raise wrong_state(f"This job can't be delete. job status: {int(_requested(call).status)}")
    call.service.tensorboards.wake()
    return {}


def stop(call: Call) -> ResponseBody:
    row = _requested(call)
    if not call.store.visualizations.transition(row.id, (INIT, RUNNING), KILLING):
        raise wrong_state(f"This job can't be stop. job status: {int(_requested(call).status)}")
    call.service.tensorboards.wake()
    return {}


def restart(call: Call) -> ResponseBody:
    row = _requested(call)
    _check_type("tensorboard")
    reset = {"pid": None, "port": None, "start_time": None, "end_time": None, "reason": None}
    if not call.store.visualizations.transition(row.id, ENDED, INIT, **reset):
        raise wrong_state(f"This job can't be resubmit. job status: {int(_requested(call).status)}")
    call.service.tensorboards.wake()
    return {}


def _requested(call: Call) -> Visualization:
    row = call.store.visualizations.get(call.identifier("job_id"))
    if row is None or row.delete_requested:
        raise not_found(f"visualization job {call.path['job_id']}")
    return row


def _check_type(kind: str) -> None:
    if kind.lower() not in limits.VISUALIZATION_TYPES:
        raise bad_value(f"job_type must be tensorboard or mindinsight, got {checks.shown(kind)}")
    if kind.lower() == "mindinsight":
        raise unavailable("MindInsight is not available in the local service; use job_type tensorboard")
    if not tensorboard.is_installed():
        raise unavailable("TensorBoard is not installed: run `pip install 'modelarts[tensorboard]'`")


def _check_flavor(flavor: Any) -> None:
    """TensorBoards run on this machine, whatever flavor is requested."""
    if flavor is not None and not (isinstance(flavor, dict) and checks.text(flavor, "code")):
        raise bad_value("flavor must be an object with code")


def _hours(schedule: Any) -> int | None:
    """The running time; an object, as in the tables, or a list, as in the samples (SCHEDULE)."""
    items = schedule if isinstance(schedule, list) else [] if schedule is None else [schedule]
    if not items:
        return None
    if len(items) > 1 or not isinstance(items[0], dict):
        raise bad_value(f"schedule must be one object with type, time_unit and duration, got {checks.shown(schedule)}")
    item = items[0]
    if str(item.get("type")).lower() != "stop":
        raise bad_value(f"schedule.type must be stop, got {checks.shown(item.get('type'))}")
    unit = item.get("time_unit", item.get("timeUnit"))
    if str(unit).upper() != "HOURS":
        raise bad_value(f"schedule.time_unit must be HOURS, got {checks.shown(unit)}")
    return checks.integer(item.get("duration"), "schedule.duration", 0, limits.VISUALIZATION_HOURS)


def _members(row: Visualization) -> ResponseBody:
    url = f"http://127.0.0.1:{row.port}/" if row.port and row.status in (INIT, RUNNING) else ""
    # The documents have timeUnit in responses and time_unit in requests (SCHEDULE).
    hours = {"type": "stop", "timeUnit": "HOURS", "time_unit": "HOURS", "duration": row.hours}
    schedule = [hours] if row.hours is not None else []
    return {
        "job_id": row.id, "job_name": row.name, "job_desc": row.description, "status": row.status,
        "create_time": row.create_time, "duration": duration(row.start_time, row.end_time), "service_url": url,
        "train_url": _api_url(row.train_url), "resource_id": row.resource_id, "schedule": schedule,
        "remaining_duration": tensorboard.remaining(row) if row.status == RUNNING else None, "error_result": row.reason,
    }  # fmt: skip


def _api_url(url: str) -> str:
    """A path as the API has it; text that is none, in a damaged row, as it is."""
    try:
        return ObsPath.parse(url).api
    except ValueError:
        return url
