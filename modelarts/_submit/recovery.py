"""Finding what a creating call has created whose reply is lost, and telling it from what others created."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from modelarts._api import pages
from modelarts._transport.response import Response, bad_member, rows_of
from modelarts._wire.http_dates import parse_http_date
from modelarts._wire.v1 import parameters
from modelarts._wire.v1.operations import CREATE_CONFIG, CREATE_JOB, CREATE_VERSION, CREATE_VISUALIZATION
from modelarts.errors import ApiError, NotFound

if TYPE_CHECKING:
    from modelarts._api.client import Client
    from modelarts._api.pages import PagedList

MARGIN = 2.0  # seconds that clocks and rounding may differ beyond what the service's own clock shows
ABSURD = 366 * 86400.0  # seconds; no clock is wrong by as much
_WHAT = {
    CREATE_JOB: "job named {job_name!r}",
    CREATE_VERSION: "version derived from {pre_version_id}",
    CREATE_CONFIG: "configuration named {config_name!r}",
    CREATE_VISUALIZATION: "visualization job named {job_name!r}",
}
NO_CONFIG = "ModelArts.0105"  # the code of a missing configuration in documented samples, without HTTP 404


class RecoveryResult(NamedTuple):
    """What a call has created, or else a message for the user; `nothing_found` where nothing like it exists."""

    created: Optional[Response] = None
    message: str = ""
    nothing_found: bool = False


def described(operation: str, body: Mapping[str, Any]) -> str:
    """What a call creates, for messages."""
    return _WHAT[operation].format(**{**body.get("config", {}), **body})


def find_job(client: Client, body: Mapping[str, Any], generated: bool, began: float) -> RecoveryResult:
    """Find the job that a call has created which began at a time.

    Args:
        generated: whether the name was generated. Another process may have generated the same one in the same second,
            so the hyperparameters must be the same, too.
    """
    found = _row_named(client, pages.JOBS, body)
    if generated and found is not None and {"job_id", "version_id"} <= found.keys():
        version = {name: found[name] for name in ("job_id", "version_id")}
        info = client.call("get_training_job_version", version, raise_on_error=True)
        found["parameter"] = info.get("parameter") or []
    return _by_name(CREATE_JOB, "job_name", found, body, generated, began)


def find_visualization(client: Client, body: Mapping[str, Any], generated: bool, began: float) -> RecoveryResult:
    """Find the visualization job that a call has created which began at a time."""
    found = _row_named(client, pages.VISUALIZATIONS, body)
    return _by_name(CREATE_VISUALIZATION, "job_name", found, body, generated, began)


def find_config(client: Client, body: Mapping[str, Any], generated: bool, began: float) -> RecoveryResult:
    """Find the configuration that a call has created which began at a time; its hyperparameters must be the same."""
    found: Response | None = None
    try:
        found = client.call("get_training_job_config", {"config_name": body["config_name"]}, raise_on_error=True)
    except ApiError as refused:
        if not isinstance(refused, NotFound) and refused.code != NO_CONFIG:
            raise
    return _by_name(CREATE_CONFIG, "config_name", found, body, generated, began)


def find_version(client: Client, path: Mapping[str, Any], body: Mapping[str, Any], began: float) -> RecoveryResult:
    """Find the version that a call has created which began at a time.

    Its name is given by the service, so it must be the only new version of its origin, with the same hyperparameters.
    """
    reply = client.call("list_training_job_versions", path, query={"page": 0}, raise_on_error=True)  # 0: all of them
    origin, what = body["config"].get("pre_version_id"), described(CREATE_VERSION, body)
    new = [row for row in _rows(reply, "versions")
           if row.get("pre_version_id", origin) == origin and not _is_older(row, began)]  # fmt: skip
    if not new:
        return _nothing(what)
    row = new[0]
    certain = "pre_version_id" in row and _is_older(row, began) is False
    if len(new) == 1 and certain and _same_parameters(row, body):
        row.update({name: reply.get(name) for name in ("job_id", "job_name") if name not in row})
        return RecoveryResult(created=row)
    names = ", ".join(f"{row.get('version_name')} (version_id {row.get('version_id')})" for row in new)
    return RecoveryResult(message=f"There may be a {what} now: look at {names} before you call again")


def _by_name(
    operation: str, member: str, found: Response | None, body: Mapping[str, Any], generated: bool, began: float
) -> RecoveryResult:
    """Whether what has the name was created by the call: names are unique, so it was unless it is older."""
    what = described(operation, body)
    if found is None:
        # After a generated name, the next call would use another one and could create a second.
        name = f" with {member}={body[member]!r}, which is refused if it exists after all" if generated else ""
        return _nothing(what, name)
    older = _is_older(found, began)
    if older is None:
        why = ", but its time of creation is unknown: look at it before you call again"
    elif older:
        why = (" that seems to be older than this call: look at it, and call again with another name if it is not what "
               "you wanted")  # fmt: skip
    elif "parameter" in found and not _same_parameters(found, body):
        why = " with other parameters, perhaps of another process: look at it, and call again with another name"
    else:
        return RecoveryResult(created=found)
    number = f" (job_id {found['job_id']})" if "job_id" in found else ""
    return RecoveryResult(message=f"There is a {what}{number}{why}")


def _nothing(what: str, name: str = "") -> RecoveryResult:
    message = f"No {what} was found afterwards: nothing was created as far as can be seen; call again{name}"
    return RecoveryResult(message=message, nothing_found=True)


def _same_parameters(found: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return _parameters(found) == _parameters(body.get("config", body))


def _parameters(members: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    try:
        return sorted((str(label), str(value)) for label, value in parameters.pairs(members.get("parameter")))
    except ValueError:
        return None


def _is_older(found: Response, began: float) -> bool | None:
    """Whether it was created before a call began, by the service's clock; `None` where that cannot be seen."""
    created = found.get("create_time")
    now = parse_http_date(found.sent[1].get("Date", ""))
    ahead = math.inf if now is None else now - time.time()
    if not isinstance(created, int) or abs(ahead) > ABSURD:
        return None
    return bool(created < (began + ahead - MARGIN) * 1000)


def _row_named(client: Client, listed: PagedList, body: Mapping[str, Any]) -> Response | None:
    """The row of a list with the job name of a body."""
    name = body["job_name"]
    query = {"search_content": name, "per_page": listed.most, "workspace_id": body.get("workspace_id")}
    rows = _rows(pages.read_all(client, listed, query, raise_on_error=True), "jobs")
    return next((row for row in rows if row.get("job_name") == name), None)


def _rows(reply: Response, name: str) -> list[Response]:
    """The rows of a list, each as a reply of its own. Raises `BadReply` where the list is missing."""
    if name not in reply:
        raise bad_member(reply, name, None)
    rows = [Response(row, is_success=True) for row in rows_of(reply, name)]
    for row in rows:
        row.sent = reply.sent
    return rows
