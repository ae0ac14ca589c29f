"""The installation of this package that a running service uses, which users may replace, remove, or have twice."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import attrs
from attrs.validators import instance_of

logger = logging.getLogger("modelarts")

_SHARED = ("places", "runtime")  # the supervisor's modules, and those that write what it reads

_reported: set[str] = set()  # environments that were warned about


@attrs.frozen
class Installation:
    """Where a service runs from."""

    environment: str = attrs.field(validator=instance_of(str))  # `sys.prefix` of its interpreter
    package: str = attrs.field(validator=instance_of(str))  # folder of the code
    installed: int = attrs.field(validator=instance_of(int))  # time stamp of the code, in nanoseconds

    @classmethod
    def of_this_process(cls) -> Installation:
        package = str(Path(__file__).parents[1])
        return cls(sys.prefix, package, _time_stamp(package))

    def is_replaced(self) -> bool:
        """Whether the code was replaced or removed. Always false inside a job, which must not restart its service."""
        return _time_stamp(self.package) != self.installed and not _is_inside_a_job()

    def report_if_other(self, pid: int) -> None:
        """Warn once if jobs run with the packages of another environment than that of this process."""
        if self.environment in (sys.prefix, *_reported):
            return
        if _is_inside_a_job():  # an interpreter of `local_python` is another one on purpose
            return
        _reported.add(self.environment)
        logger.warning(
            "the local service (pid %d) was started from the Python environment %s, and jobs run with its packages, "
            "not with those of %s. To use yours, run `modelarts local stop`; the next session starts the service again",
            pid, self.environment, sys.prefix,
        )  # fmt: skip


def _time_stamp(package: str) -> int:
    """The newest of what a service and the supervisors that it starts share; 0 if there is no such installation.

    Not only that of the version: in a checkout, `git pull` brings new code under the same one.
    """
    try:
        stamps = [Path(package, "_version.py").stat().st_mtime_ns]
        for folder in _SHARED:
            with os.scandir(Path(package, "local", folder)) as entries:
                stamps += [entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".py")]
        return max(stamps)
    except OSError:
        return 0


def _is_inside_a_job() -> bool:
    return "DLS_JOB_ID" in os.environ
