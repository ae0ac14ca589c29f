"""Lines that the service adds to the logs of a version."""

from __future__ import annotations

import logging
from pathlib import Path

from modelarts.local.paths import JobPaths, read_json
from modelarts.local.runtime.log_lines import LOCAL_LOG, SERVICE_LOG

logger = logging.getLogger("modelarts.local")


def append_end(folder: JobPaths, reason: str, end: str = "") -> None:
    """Add the reason of an end, and the platform's line for it, to the log of each worker and its copy in a bucket.

    Without a spec there are no workers yet, and the first log takes the lines.
    """
    workers = (read_json(folder.spec) or {}).get("workers") or [{"log": str(folder.log(0))}]
    lines = f"{LOCAL_LOG}{reason}\n" + (f"{SERVICE_LOG}{end}\n" if end else "")
    for worker in workers:
        for log in filter(None, (worker["log"], worker.get("log_object"))):
            try:
                _append(Path(log), lines.encode("utf-8", "replace"))
            except OSError as error:
                logger.warning("%s cannot be written: %s", log, error)


def _append(log: Path, lines: bytes) -> None:
    """Add lines to a file, which a script may have left in the middle of one."""
    with log.open("ab+") as file:
        if file.seek(0, 2):
            file.seek(-1, 2)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        file.write(lines)
