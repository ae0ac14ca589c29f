"""Lines that the service adds to the logs of a version."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from modelarts.local import files
from modelarts.local.paths import JobPaths, read_json
from modelarts.local.runtime.log_lines import LOCAL_LOG, SERVICE_LOG

logger = logging.getLogger("modelarts.local")


def append_end(folder: JobPaths, reason: str, end: str = "") -> None:
    """Add the reason of an end, and the platform's line for it, to the log of each worker and its copy in a bucket.

    Without a spec there are no workers yet, and the first log takes the lines.
    """
    lines = f"{LOCAL_LOG}{reason}\n" + (f"{SERVICE_LOG}{end}\n" if end else "")
    for log in _logs(folder):
        try:
            _append(log, lines.encode("utf-8", "replace"))
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be written: %s", log, error)


def _logs(folder: JobPaths) -> Iterator[str]:
    """The logs of all workers and their copies, by a spec that a job may have changed."""
    spec = read_json(folder.spec)
    workers = spec.get("workers") if isinstance(spec, dict) else None
    for index, worker in enumerate(workers if isinstance(workers, list) and workers else [{}]):
        yield str(folder.log(index))
        log_object = worker.get("log_object") if isinstance(worker, dict) else None
        if isinstance(log_object, str):
            yield log_object


def _append(log: str, lines: bytes) -> None:
    """Add lines to a file, which a script may have left in the middle of one."""
    with files.open_to_append(log) as file:
        if file.seek(0, 2):
            file.seek(-1, 2)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        file.write(lines)
