"""The interface of a place where versions run. The scheduler knows this module alone, and no processes.

A version is known to a place by a key, and by its folder. The folder holds `spec.json`, which says what to run; there
the place writes the logs of the workers, and samples of what they use.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

import attrs

from modelarts.local.paths import JobPaths


class Unreachable(Exception):
    """The place does not respond. This says nothing about any version: what ran may still run."""


class Phase(enum.Enum):
    """What a place knows about a version."""

    UNKNOWN = "unknown"  # it was never started here
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"  # it ended because of `Place.stop`
    LOST = "lost"  # it was started, and is gone without a record of its end


ENDED = (Phase.COMPLETED, Phase.FAILED, Phase.STOPPED)


@attrs.frozen
class State:
    """The state of a version in a place."""

    phase: Phase
    end_time: int | None = None  # epoch milliseconds; of phases in `ENDED`
    reason: str = ""  # why it ended, if there is more to say than the phase


class Place(Protocol):
    """Where versions run. Each call may raise `Unreachable`."""

    def describe(self) -> str:
        """The hardware, as a phrase."""

    def start(self, key: str, folder: JobPaths) -> None:
        """Run the version that `folder.spec` describes; called again with the same key, it runs once all the same.

        Raises:
            OSError: it cannot be started.
        """

    def look(self, folders: Mapping[str, JobPaths]) -> dict[str, State]:
        """The states of versions, by their keys: one call for all of them."""

    def stop(self, key: str, folder: JobPaths) -> bool:
        """Request the end of a version; whether the request was delivered. It may be repeated."""

    def clean(self, key: str, folder: JobPaths) -> None:
        """End whatever may be left of a version that is lost."""
