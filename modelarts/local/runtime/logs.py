"""Lines that the service adds to the logs of a version."""

from __future__ import annotations

import logging
from pathlib import Path

from modelarts.local.paths import JobPaths, read_json

logger = logging.getLogger("modelarts.local")

SERVICE_LOG = "[Modelarts Service Log]"  # how such lines begin


def append(folder: JobPaths, *lines: str) -> None:
    """Add lines to the log of each worker and to its copy in a bucket; to the first log if there is no spec yet."""
    workers = (read_json(folder.spec) or {}).get("workers") or [{"log": str(folder.log(0))}]
    for worker in workers:
        for log in filter(None, (worker["log"], worker.get("log_object"))):
            try:
                with Path(log).open("a", encoding="utf-8", errors="replace") as file:
                    file.writelines(f"{SERVICE_LOG}{line}\n" for line in lines)
            except OSError as error:
                logger.warning("%s cannot be written: %s", log, error)
