"""Which version may start now: queue, capacity, stop, reap; and what to do after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

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
from modelarts.local.locks import is_held
from modelarts.local.paths import JobPaths, LocalHome, read_json, write_private
from modelarts.local.places import supervisor
from modelarts.local.runtime.spec import SERVICE_LOG, JobSpecBuilder
from modelarts.local.store import Store, StoreError, now
from modelarts.local.store.records import Job, Version

logger = logging.getLogger("modelarts.local")

STOPPED = "stopped by its user"
BUSY_INTERVAL = 0.02  # seconds between looks at running versions
_ENDS = {"completed": COMPLETED, "failed": RUN_FAILED, "stopped": KILLED}


class Scheduler:
    """One thread that moves versions from status to status; all it knows is in the store and in files."""

    def __init__(self, store: Store, home: LocalHome, spec_builder: JobSpecBuilder, capacity: int) -> None:
        self._store = store
        self._home = home
        self._workbench = spec_builder
        self._capacity = capacity
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._asked: set[int] = set()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._restore()
        self._thread.start()

    def close(self) -> None:
        """Stop looking; what runs goes on."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        """There is something new to start or to stop."""
        self._wake.set()

    def remove(self, job_id: int, gone: list[int]) -> None:
        """Remove the folders of deleted versions, and stop the others that were asked to go."""
        for version_id in gone:
            shutil.rmtree(self._home.job(version_id).root, ignore_errors=True)
        for version in self._store.jobs.versions(job_id):
            if version.delete_requested:
                self.stop(version)

    def stop(self, version: Version) -> bool:
        """End a queued version at once, ask a running one to end; whether it was either."""
        transition = self._store.jobs.transition
        queued = transition(version.id, (INIT, WAITING), KILLED, end_time=now(), reason=STOPPED)
        if queued and version.delete_requested:
            self.remove(version.job_id, self._store.jobs.delete_pending(version.job_id))
        stopped = queued or transition(version.id, (RUNNING,), KILLING)
        self.wake()
        return stopped

    def wait_for_change(self, seconds: float) -> None:
        """Return when some version's status has changed, or after so many seconds."""
        with self._news:
            self._news.wait(seconds)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits to."""
        return bool(self._store.jobs.versions_with_status(INIT, WAITING, RUNNING, KILLING))

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                running = self.tick()
            except Exception:
                logger.exception("a scheduler step failed")
                running = True
                self._wake.wait(1)
            self._wake.wait(BUSY_INTERVAL if running else None)

    def tick(self) -> bool:
        """One step; the answer says whether anything runs."""
        self._reap_children()
        running = 0
        for version in self._store.jobs.versions_with_status(RUNNING, KILLING):
            if not self._ended(version):
                running += 1
                self._stop_if_asked(version)
        for version in self._store.jobs.versions_with_status(INIT, WAITING):
            if running < self._capacity:
                running += self._launch(version)
            elif version.status == INIT:
                self._transition(version, WAITING)
        return running > 0

    # --- ends

    def _ended(self, version: Version) -> bool:
        paths = self._home.job(version.id)
        record = read_json(paths.exit)
        if record is None and not is_held(paths.alive):
            record = read_json(paths.exit)  # it may have ended between the two looks
            if record is None:
                self._lose(version, paths)
                return True
        if record is None:
            return False
        self._asked.discard(version.id)
        status, reason = _ENDS[record["outcome"]], record["reason"] or None
        self._transition(version, status, end_time=record["end_time"], reason=reason)
        return True

    def _lose(self, version: Version, paths: JobPaths) -> None:
        """The supervisor is gone without a record: end its workers, and say so."""
        _end_workers(paths)
        if version.status == KILLING:
            self._transition(version, KILLED, end_time=now(), reason=STOPPED)
            return
        reason = "the process that supervised this version was killed; its workers were ended"
        _append_logs(paths, f"{reason}\n{SERVICE_LOG}Training end with return code: 137")
        self._transition(version, RUN_LOST, end_time=now(), reason=reason)

    def _stop_if_asked(self, version: Version) -> None:
        if version.status == KILLING and version.id not in self._asked:
            pid = _supervisor_pid(self._home.job(version.id))
            if pid:
                self._asked.add(version.id)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def _reap_children(self) -> None:
        for version_id, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[version_id]

    def _restore(self) -> None:
        """After a start: what was about to run when the service ended goes back to the queue."""
        for version in self._store.jobs.versions_with_status(RUNNING):
            paths = self._home.job(version.id)
            never_ran = not is_held(paths.alive) and not _supervisor_pid(paths) and not paths.exit.exists()
            if never_ran:
                self._transition(version, WAITING, start_time=None)

    # --- starts

    def _launch(self, version: Version) -> bool:
        """Whether a version runs now; one that cannot be started ends, and never keeps others from theirs."""
        job = self._store.jobs.get(version.job_id)
        if job is None:
            return False
        paths = self._home.job(version.id)
        try:
            return self._begin(job, version, paths)
        except StoreError:
            raise  # the version is not to blame: it is tried again
        except OSError as error:
            reason = f"the job's folder cannot be written: {error}"
        except Exception as error:
            logger.exception("version %s cannot be started", version.id)
            reason = f"the local service cannot start this version ({error!r}); {self._home.service_log} says more"
        return self._refuse(version, paths, RUN_FAILED, reason)

    def _begin(self, job: Job, version: Version, paths: JobPaths) -> bool:
        shutil.rmtree(paths.root, ignore_errors=True)
        paths.root.mkdir(parents=True, mode=0o700)
        if not version.body["app_url"] and not version.body["user_command"]:
            algorithm = self._workbench.catalog.algorithms[version.body["model_id"]]
            if "script" not in algorithm:
                name = algorithm["model_name"]
                reason = f"the built-in algorithm {name} is documented, but the local service cannot train it"
                return self._refuse(version, paths, SUBMIT_MODEL_FAILED, reason)
        spec = self._workbench.spec(job, version)
        write_private(paths.spec, spec)
        ran_on = self._workbench.ran_on(version)
        if not self._transition(version, RUNNING, start_time=now(), ran_on=ran_on):
            return False  # stopped meanwhile
        self._children[version.id] = _spawn(paths)
        return True

    def _refuse(self, version: Version, paths: JobPaths, status: JobStatus, reason: str) -> bool:
        _append_line(paths.log(0), reason)
        self._transition(version, status, end_time=now(), reason=reason)
        return False

    def _transition(self, version: Version, status: JobStatus, **changes: Any) -> bool:
        expected = {INIT, WAITING} if status in (WAITING, RUNNING) else {INIT, WAITING, RUNNING, KILLING}
        if status == WAITING:
            expected.add(RUNNING)
        won = self._store.jobs.transition(version.id, expected, status, **changes)
        if won and status.ended:
            asked = self._store.jobs.version(version.job_id, version.id)  # it may have been asked to go just now
            if asked is not None and asked.delete_requested:
                self.remove(version.job_id, self._store.jobs.delete_pending(version.job_id))
        with self._news:
            self._news.notify_all()
        return won


def _spawn(paths: JobPaths) -> subprocess.Popen[bytes]:
    """Start a supervisor that holds its lock from its first moment on."""
    lock = os.open(paths.alive, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(supervisor.__file__)), str(paths.spec), str(lock)],
            stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=(lock,), cwd=paths.root,
        )  # fmt: skip
    finally:
        os.close(lock)


def _supervisor_pid(paths: JobPaths) -> int:
    try:
        return int(paths.alive.read_text(encoding="ascii") or 0)
    except FileNotFoundError:
        return 0


def _end_workers(paths: JobPaths) -> None:
    for worker in read_json(paths.workers) or ():
        if worker["started"] and worker["started"] == supervisor.start_time(worker["pid"]):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(worker["pid"], signal.SIGKILL)


def _append_logs(paths: JobPaths, text: str) -> None:
    """Add a line to every log of a version, and to the objects in its log folder."""
    for worker in (read_json(paths.spec) or {}).get("workers", ()):
        for log in filter(None, (worker["log"], worker["log_object"])):
            _append_line(Path(log), text)


def _append_line(log: Path, text: str) -> None:
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{SERVICE_LOG}{text}\n")
    except OSError as error:
        logger.warning("%s cannot be written: %s", log, error)
