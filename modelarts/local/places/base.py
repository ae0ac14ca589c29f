"""The interface of a place where versions run. The scheduler uses this module only, and knows no processes.

A place identifies a version by a key and by its folder. The folder contains `spec.json`, which describes what to run;
the place writes the logs of the workers, and samples of their CPU, memory and GPU usage, to the folder.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

import attrs

from modelarts.local.paths import JobPaths


class Unreachable(Exception):
    """The place does not respond. This says nothing about any version: it may still be running."""


class Phase(enum.Enum):
    """The state of a version, as far as a place knows it."""

    UNKNOWN = "unknown"  # it was never started here
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"  # it ended because of `Place.stop`
    LOST = "lost"  # it was started, and disappeared without a record of its end


ENDED = (Phase.COMPLETED, Phase.FAILED, Phase.STOPPED)


@attrs.frozen
class State:
    """The state of a version in a place."""

    phase: Phase
    end_time: int | None = None  # epoch milliseconds; of phases in `ENDED`
    reason: str = ""  # why it ended, if the phase alone does not say it


class Place(Protocol):
    """Where versions run. Each call may raise `Unreachable`."""

    def describe(self) -> str:
        """The hardware, as a phrase."""

    def start(self, key: str, folder: JobPaths) -> None:
        """Start the version that `folder.spec` describes. Another call with the same key does not start it twice.

        Raises:
            OSError: it cannot be started.
        """

    def look(self, folders: Mapping[str, JobPaths]) -> dict[str, State]:
        """The states of any number of versions, by key."""

    def stop(self, key: str, folder: JobPaths) -> bool:
        """Request the end of a version. Returns whether the request was delivered; if not, it is repeated."""

    def force(self, key: str, folder: JobPaths) -> None:
        """End a version that did not end in time after `stop`; it is lost then."""

    def clean(self, key: str, folder: JobPaths) -> None:
        """End all remaining processes of a version that is lost."""
