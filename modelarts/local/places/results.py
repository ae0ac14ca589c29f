"""What a version leaves: its metrics, and results outside the output folder, which the end of the log names.

Standard library only, and small: the supervisor imports it before the workers start. The rest is imported at the end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, Callable, Optional

METRIC_FILES = ("metric.json", "model/metric.json")  # below the output folder, in the order of preference

Identity = tuple[int, ...]


class Results:
    """Created when everything is prepared, just before the workers start; `conclude` is called when they have ended."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.before = {path: identity(path) for path in metric_files(spec["results"]["output"])}
        self.began = time.time_ns()  # what the service has created until now is older

    def conclude(self, tell: Sequence[Callable[[str], None]], completed: bool) -> None:
        """Keep the metrics of a completed version, and say what is lost.

        Args:
            tell: writes a line to the log of a worker, for each worker.
            completed: whether all workers ended with 0.
        """
        from modelarts.local.places import lost_results

        try:
            if completed and any(identity(path) not in (None, before) for path, before in self.before.items()):
                from modelarts.local.places import metrics

                for problem in metrics.keep(self.spec["results"], self.before):
                    tell[0](problem)
            for say, lines in zip(tell, lost_results.lines(self.spec, self.began)):
                for line in lines:
                    say(line)
        except Exception:  # noqa: BLE001  the version has ended, and this does not change how
            import traceback  # costs as much as all of this package

            traceback.print_exc()


def metric_files(output: Optional[str]) -> list[str]:
    return [os.path.join(output, name) for name in METRIC_FILES] if output else []


def identity(path: str) -> Optional[Identity]:
    """What is different after a file was written, replaced or renamed; `None` if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
