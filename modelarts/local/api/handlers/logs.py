"""Logs of versions, by line and by byte."""

from __future__ import annotations

import time
from pathlib import Path

from modelarts._wire.v1 import limits
from modelarts.local.api import logs
from modelarts.local.api.errors import bad_value, missing
from modelarts.local.api.handlers.context import Answer, Call
from modelarts.local.api.handlers.versions import version_of
from modelarts.local.store.records import Job, Version

_LOOK = 0.02  # seconds between looks at a log that somebody waits for


def file_names(call: Call) -> Answer:
    job, version = version_of(call)
    return {"log_file_list": _names(job, version)}


def by_line(call: Call) -> Answer:
    """`desc` reads on behind the line at a position, `asc` back from before it."""
    path = _path(call)
    lines = call.number("lines", limits.LOG_LINES_DEFAULT, 0, limits.LOG_LINES)
    order = call.choice("order", "desc", limits.LOG_ORDERS)
    base_line = call.query.get("base_line", "").strip()
    position = call.number("base_line", 0, 0) if base_line else None
    if call.hold:
        _wait(call, path, position or 0)
    if position is None or order == "asc":
        piece = logs.backward(path, position, lines)
    else:
        piece = logs.onward(path, position, lines)
    return {
        "content": piece.text, "lines": piece.lines,
        "start_line": str(piece.first), "end_line": str(piece.end),
    }  # fmt: skip


def by_byte(call: Call) -> Answer:
    start_byte = call.number("start_byte", 0, -1)
    offset = call.number("offset", limits.LOG_BYTES, -limits.LOG_BYTES, limits.LOG_BYTES)
    piece = logs.by_bytes(_path(call), start_byte, offset)
    return {"log": piece.text, "log_byte_count": piece.end - piece.start, "end_byte": piece.end}


def _wait(call: Call, path: Path, position: int) -> None:
    """Hold the answer back until the log has grown past a position, or the version's status has changed."""
    deadline = time.monotonic() + call.hold
    _, version = version_of(call)
    while logs.size(path) <= position and not version.status.ended and time.monotonic() < deadline:
        call.service.scheduler.wait_for_change(_LOOK)
        if version_of(call)[1].status != version.status:
            return


def _path(call: Call) -> Path:
    job, version = version_of(call)
    name = call.query.get("log_file", "")
    names = _names(job, version)
    if not name:
        raise bad_value(f"log_file is needed; this version has {', '.join(names)}")
    if name not in names:
        raise missing(f"log file {name!r} (this version has {', '.join(names)})")
    return call.service.home.job(version.id).log(names.index(name))


def _names(job: Job, version: Version) -> list[str]:
    return [f"job-{job.name}.{number}" for number in range(version.body["worker_server_num"])]
