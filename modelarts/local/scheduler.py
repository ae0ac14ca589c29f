"""The queue: starts, stops and ends of versions, also after a crash of the service."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Any, Callable

import attrs

from modelarts._wire.v1.status import (
    COMPLETED,
    INIT,
    KILLED,
    KILLING,
    RUN_FAILED,
    RUN_LOST,
    RUNNING,
    SUBMIT_MODEL_FAILED,
    WAITING,
    JobStatus,
)
from modelarts.local import files
from modelarts.local.paths import LocalHome, write_private
from modelarts.local.places.base import ENDED, Phase, Place, State, Unreachable
from modelarts.local.runtime import logs
from modelarts.local.runtime.spec import JobSpecBuilder
from modelarts.local.shortages import shortage
from modelarts.local.stepping import SteppingThread
from modelarts.local.store import Store, StoreUnavailable, now
from modelarts.local.store.records import Version
from modelarts.local.working_directories import remove_tree

logger = logging.getLogger("modelarts.local")

STOPPED = "stopped by its user"
LOST = "the process that supervised this version was killed; its workers were ended"
STOP_PATIENCE = 10.0  # seconds after the grace period until a version that was stopped is killed
INTERVAL = 0.2  # seconds between looks at running versions; when one ends, its place wakes the scheduler
SHORT_INTERVAL = 0.02  # … while a stop cannot be delivered, or a version runs that an earlier service started
UNREACHABLE_INTERVAL = 1.0  # … while their place does not respond
_STATUS = {Phase.COMPLETED: COMPLETED, Phase.FAILED: RUN_FAILED, Phase.STOPPED: KILLED}


@attrs.define
class _Stop:
    """How far the stop of a version is."""

    deadline: float  # of the monotonic clock: until then it must have an effect
    delivered: bool = False
    forced: bool = False


class Scheduler:
    """One thread that changes the status of versions. Its state is in the store and in files only."""

    def __init__(
        self,
        store: Store,
        home: LocalHome,
        spec_builder: JobSpecBuilder,
        place: Place,
        capacity: int,
        on_end: Callable[[], None] = lambda: None,
        before_start: Callable[[], None] = lambda: None,
        grace: float = 0.0,
    ) -> None:
        self._store = store
        self._home = home
        self._spec_builder = spec_builder
        self._place = place
        self._capacity = capacity
        self._on_end = on_end
        self._before_start = before_start
        self._stop_patience = grace + STOP_PATIENCE
        self._stops: dict[int, _Stop] = {}  # by version
        self._started: set[int] = set()  # by this service, which knows for certain
        self._ignored: set[int] = set()  # damaged versions that cannot even be ended
        self._obstacle = ""  # why no version can be started at present
        self._changed = threading.Condition()
        self._thread = SteppingThread("scheduler", self.step)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop scheduling; running versions continue."""
        self._thread.close()

    def wake(self) -> None:
        """Take the next step now: there is something to start or to stop."""
        self._thread.wake()

    def remove(self, deleted: list[int]) -> None:
        """Remove the folders of versions that were deleted from the store, and stop those that are marked for it."""
        for version_id in deleted:
            self._remove_folder(version_id)
        self.wake()

    def _remove_folder(self, version_id: int) -> None:
        try:
            remove_tree(self._home.job(version_id).root)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", error.filename, error.strerror)

    def stop(self, version: Version) -> bool:
        """End a queued version, or request the end of a running one. Returns whether it was queued or running."""
        transition = self._store.jobs.transition
        queued = transition(version.id, (INIT, WAITING), KILLED, end_time=now(), reason=STOPPED)
        stopped = queued or transition(version.id, (RUNNING,), KILLING)
        self.wake()
        return stopped

    def wait_for_change(self, seconds: float) -> None:
        """Return when the status of any version changes, at the latest after so many seconds."""
        with self._changed:
            self._changed.wait(seconds)

    def why_queued(self, version: Version) -> tuple[int, str]:
        """The place in the queue of a queued version, from 1, and why it does not run yet."""
        running = self._store.jobs.versions_with_status(RUNNING, KILLING)
        place = 1 + self._store.jobs.count(INIT, WAITING, before=version.id)
        if self._obstacle:
            return place, self._obstacle
        if self._has_room(version, running):
            return place, "it is about to start" if place == 1 else "others are before it"
        used, needed = _workers(running), version.workers
        needs = f"it needs {needed} workers, and " if needed > 1 else ""
        return place, f"{needs}{used} of at most {self._capacity} workers are running (setting local_capacity)"

    def _has_room(self, version: Version, running: list[Version]) -> bool:
        """Whether a version can start beside others; one that is larger than the capacity runs alone."""
        return not running or _workers(running) + version.workers <= self._capacity

    @property
    def busy(self) -> bool:
        """Whether any version is queued or running."""
        return bool(self._store.jobs.versions_with_status(INIT, WAITING, RUNNING, KILLING, limit=1))

    def step(self) -> float | None:
        """Record ends, deliver stops, start queued versions. Returns the seconds until the next step."""
        try:
            followed = self._follow()
            running = list(followed)
            # Nobody overtakes: a large version at the head of the queue keeps the others waiting until it has room.
            while _workers(running) < self._capacity and (next_one := self._next()):
                if not self._has_room(next_one, running):
                    break
                if self._isolated(self._launch, next_one):
                    running.append(next_one)
            for version in self._store.jobs.versions_with_status(INIT):
                self._isolated(self._transition, version, WAITING)
        except Unreachable as error:
            logger.warning("where versions run cannot be reached: %s", error)
            self._obstacle = f"where versions run cannot be reached: {error}"
            return UNREACHABLE_INTERVAL
        self._obstacle = ""
        if any(self._must_be_watched(version) for version in followed):
            return SHORT_INTERVAL
        return INTERVAL if running else None

    # --- what was started

    def _follow(self) -> list[Version]:
        """Look at the versions that were started. Returns those that are running."""
        found = self._store.jobs.versions_with_status(RUNNING, KILLING)
        versions = [version for version in found if version.id not in self._ignored]
        states = self._place.look({_key(version): self._home.job(version.id) for version in versions})
        return [version for version in versions if self._isolated(self._runs, version, states[_key(version)])]

    def _isolated(self, act: Callable[..., bool], version: Version, *arguments: Any) -> bool:
        """Do something with one version. If that fails, the version ends, and the others are not affected.

        Returns:
            Whether it is running.
        """
        try:
            return act(version, *arguments)
        except Exception as error:
            _raise_if_general(error)
            logger.exception("version %s cannot be followed", version.id)
            reason = f"the local service cannot follow this version ({error!r}); {self._home.service_log} says more"
        with suppress(Exception):
            self._place.clean(_key(version), self._home.job(version.id))
        try:
            self._transition(version, RUN_LOST, end_time=now(), reason=reason)
        except Exception as error:
            _raise_if_general(error)
            logger.exception("version %s cannot be ended, and is ignored until the next start", version.id)
            self._ignored.add(version.id)
        return False

    def _runs(self, version: Version, state: State) -> bool:
        if state.phase in ENDED:
            self._transition(
                version, _STATUS[state.phase], end_time=state.end_time or now(), reason=state.reason or None
            )
            return False
        if state.phase is Phase.UNKNOWN and version.status == RUNNING and version.id not in self._started:
            return self._launch(version)  # service or place failed between marking it as running and starting it
        if state.phase is not Phase.RUNNING:
            self._mark_lost(version, state.reason)
            return False
        return version.status != KILLING or self._stop(version)

    def _must_be_watched(self, version: Version) -> bool:
        """Whether nothing wakes the scheduler when there is something to do for a running version."""
        stop = self._stops.get(version.id)
        is_pending = version.status == KILLING and not (stop and (stop.delivered or stop.forced))
        return is_pending or version.id not in self._started

    def _stop(self, version: Version) -> bool:
        """Request the end of a version, unless the request has been delivered. Returns whether it is still running."""
        key, folder = _key(version), self._home.job(version.id)
        stop = self._stops.setdefault(version.id, _Stop(time.monotonic() + self._stop_patience))
        if time.monotonic() > stop.deadline:
            if stop.forced:
                self._mark_lost(version)  # nothing more can be done
                return False
            stop.forced, stop.deadline = True, time.monotonic() + self._stop_patience
        if stop.forced:
            self._place.force(key, folder)
        elif not stop.delivered:
            stop.delivered = self._place.stop(key, folder)
        return True

    def _mark_lost(self, version: Version, reason: str = "") -> None:
        """End the remaining processes of a version that disappeared, and record that it is lost."""
        folder, reason = self._home.job(version.id), reason or LOST
        self._place.clean(_key(version), folder)
        if version.status == KILLING:
            logs.append_end(folder, STOPPED, "Training end with return code: 137")
            self._transition(version, KILLED, end_time=now(), reason=STOPPED)
            return
        logs.append_end(folder, reason, "Training end with return code: 137")
        self._transition(version, RUN_LOST, end_time=now(), reason=reason)

    # --- what is queued

    def _next(self) -> Version | None:
        """The queued version that is started next."""
        oldest = self._store.jobs.versions_with_status(INIT, WAITING, limit=1 + len(self._ignored))
        return next((version for version in oldest if version.id not in self._ignored), None)

    def _launch(self, version: Version) -> bool:
        """Start a version; if that fails it ends, and others are not affected. Returns whether it is running."""
        try:
            self._before_start()
            if version.status != RUNNING and not self._prepare(version):
                return False
            self._place.start(_key(version), self._home.job(version.id))
        except OSError as error:
            _raise_if_general(error)
            reason = f"this version cannot be started: {shortage(error, self._home.root) or error}"
        except Exception as error:
            _raise_if_general(error)
            logger.exception("version %s cannot be started", version.id)
            reason = f"the local service cannot start this version ({error!r}); {self._home.service_log} says more"
        else:
            self._started.add(version.id)
            return True
        if version.status == RUNNING:
            self._place.clean(_key(version), self._home.job(version.id))  # it may run in a folder that is not there
        return self._fail(version, RUN_FAILED, reason)

    def _prepare(self, version: Version) -> bool:
        """Write the spec to an empty folder, and mark the version as running. Returns whether it is."""
        if version.damage:
            return self._fail(version, RUN_FAILED, version.damage)
        job = self._store.jobs.get(version.job_id)
        if job is None:
            return self._fail(version, RUN_FAILED, "its job does not exist")
        folder = self._home.job(version.id)
        with suppress(FileNotFoundError):
            remove_tree(folder.root)
        folder.root.mkdir(parents=True, mode=0o700)
        if reason := self._spec_builder.unsupported(version):
            return self._fail(version, SUBMIT_MODEL_FAILED, reason)
        write_private(folder.spec, self._spec_builder.spec(job, version))
        if self._transition(version, RUNNING, start_time=now(), ran_on=self._spec_builder.ran_on(version)):
            return True
        self._remove_folder(version.id)  # stopped or deleted meanwhile
        return False

    def _fail(self, version: Version, status: JobStatus, reason: str) -> bool:
        logs.append_end(self._home.job(version.id), reason)
        self._transition(version, status, end_time=now(), reason=reason)
        return False

    def _transition(self, version: Version, status: JobStatus, **changes: Any) -> bool:
        expected = {INIT, WAITING} if status in (WAITING, RUNNING) else {INIT, WAITING, RUNNING, KILLING}
        won = self._store.jobs.transition(version.id, expected, status, **changes)
        if won and status.ended:
            self._stops.pop(version.id, None)
            self._started.discard(version.id)
            if self._store.jobs.status(version.id) is None:  # deleted with its end, as was requested
                self.remove([version.id])
            self._on_end()
        with self._changed:
            self._changed.notify_all()
        return won


def _workers(versions: list[Version]) -> int:
    return sum(version.workers for version in versions)


def _key(version: Version) -> str:
    return str(version.id)


def _raise_if_general(error: Exception) -> None:
    """Raise an error that no version is to blame for: the step is taken again."""
    if isinstance(error, (StoreUnavailable, Unreachable)):
        raise error
    if isinstance(error, OSError) and files.is_shortage(error):
        raise Unreachable(str(error)) from error
