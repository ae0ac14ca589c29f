"""Logs of versions, by line and by byte."""

from __future__ import annotations

from pathlib import Path

from modelarts._wire.v1 import limits
from modelarts.local.api import logs
from modelarts.local.api.errors import bad_value, not_found
from modelarts.local.api.handlers.context import Call, ResponseBody
from modelarts.local.api.handlers.versions import hold_for_news, version_of
from modelarts.local.store.records import Job, Version

_LOG_INTERVAL = 0.02  # seconds between looks at a log while a reply is held back


def list_files(call: Call) -> ResponseBody:
    job, version = version_of(call)
    return {"log_file_list": _names(job, version)}


def read_lines(call: Call) -> ResponseBody:
    """`desc` returns the lines behind a position, `asc` those before it; without a position, the newest ones.

    `is_complete`, which is not documented, says that nothing follows these lines, now or later.
    """
    job, version = version_of(call)
    path = _path(call, job, version)
    lines = call.number("lines", limits.LOG_LINES_DEFAULT, 0, limits.LOG_LINES)
    order = call.choice("order", "desc", limits.LOG_ORDERS)
    base_line = call.query.get("base_line", "").strip()
    position = call.number("base_line", 0, 0) if base_line else None
    status = version.status
    if order == "desc":
        start = position or 0
        status = hold_for_news(call, version, _LOG_INTERVAL, lambda: logs.has_text_behind(path, start, lines))
    if position is None or order == "asc":
        part = logs.read_backward(path, position, lines, status.ended)
    else:
        part = logs.read_forward(path, position, lines, status.ended)
    return {
        "content": part.text, "lines": part.lines,
        "start_line": str(part.first), "end_line": str(part.end),
        "is_complete": status.ended and order == "desc" and part.end == logs.size(path),
    }  # fmt: skip


def read_bytes(call: Call) -> ResponseBody:
    job, version = version_of(call)
    path = _path(call, job, version)
    start_byte = call.number("start_byte", 0, -1)
    offset = call.number("offset", limits.LOG_BYTES, -limits.LOG_BYTES, limits.LOG_BYTES)
    part = logs.read_bytes(path, start_byte, offset, version.status.ended)
    return {"log": part.text, "log_byte_count": part.end - part.start, "end_byte": part.end}


def _path(call: Call, job: Job, version: Version) -> Path:
    name = call.query.get("log_file", "")
    names = _names(job, version)
    if not name:
        raise bad_value(f"log_file is required; the log files of this version are {', '.join(names)}")
    if name not in names:
        raise not_found(f"log file {name!r} (the log files of this version are {', '.join(names)})")
    return call.service.home.job(version.id).log(names.index(name))


def _names(job: Job, version: Version) -> list[str]:
    return [f"job-{job.name}.{number}" for number in range(version.body["worker_server_num"])]
