"""Visualization jobs: real TensorBoard processes that outlive the service."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import signal
import sys
import time
from pathlib import Path

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, KILLING, RUN_FAILED, RUNNING
from modelarts.local import files, ports
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Children, Process
from modelarts.local.stepping import SteppingThread
from modelarts.local.store import Store, StoreUnavailable, now
from modelarts.local.store.records import Visualization

logger = logging.getLogger("modelarts.local")

INTERVAL = 0.1  # seconds between looks while a TensorBoard starts or ends
CALM = 1.0  # … while all of them just run
PATIENCE = 5.0  # seconds from SIGTERM to SIGKILL
HOUR = 3_600_000  # milliseconds
STARTED = (INIT, RUNNING)
MOST = 8  # at once; each takes some hundred megabytes of memory
_LOG_END = 8192  # bytes of a log in which its last line is


def is_installed() -> bool:
    """Whether TensorBoard is installed."""
    return importlib.util.find_spec("tensorboard") is not None


class TensorBoards:
    """One thread that starts, follows and ends TensorBoards. Its state is in the store only.

    Args:
        store: the visualization jobs.
        home: of the service.
        most: how many run at once. For another one, the oldest that nobody uses is stopped.
    """

    def __init__(self, store: Store, home: LocalHome, most: int = MOST) -> None:
        self._store = store
        self._home = home
        self._most = most
        self._children = Children()
        self._known: set[Process] = set()  # those of the last step
        self._stopping: dict[Process, float] = {}  # processes that were sent SIGTERM, and when SIGKILL follows
        self._thread = SteppingThread("TensorBoards", self.step)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop following them; they continue."""
        self._thread.close()

    def end_all(self) -> None:
        """Stop following them, and kill those that this service has started or followed."""
        self._thread.close()
        for process in {*self._known, *self._stopping}:
            process.signal_group(signal.SIGKILL)

    def wake(self) -> None:
        """Take the next step now: there is something to start or to stop."""
        self._thread.wake()

    @property
    def busy(self) -> bool:
        """Whether any TensorBoard is starting, running or ending."""
        return bool(self._store.visualizations.with_status(INIT, RUNNING, KILLING))

    def step(self) -> float | None:
        """Start, follow and end them. Returns the seconds until the next step."""
        self._children.reap()
        self._kill_overdue()
        rows = self._store.visualizations.with_status(INIT, RUNNING, KILLING)
        self._known = {_process(row) for row in rows if row.pid is not None}
        waiting = self._without_room(rows)
        for row in rows:
            if row.id not in waiting:
                self._follow_isolated(row)
        if not rows and not self._stopping:
            return None
        return CALM if not self._stopping and all(row.status == RUNNING for row in rows) else INTERVAL

    def _follow_isolated(self, row: Visualization) -> None:
        """Follow one. If that fails, it ends, and the others are not affected."""
        try:
            self._follow(row)
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.exception("visualization job %s cannot be followed", row.id)
            reason = f"TensorBoard cannot be followed: {error!r}; {self._home.service_log} says more"
            if row.delete_requested:
                self._store.visualizations.delete(row.id)
                return
            transition = self._store.visualizations.transition
            transition(row.id, (*STARTED, KILLING), RUN_FAILED, end_time=now(), reason=reason)

    def _without_room(self, rows: list[Visualization]) -> set[int]:
        """The ids of those that must wait until others have ended, which are stopped for them."""
        new = [row.id for row in rows if row.status == INIT and row.pid is None]
        others = [row for row in rows if row.pid is not None]
        waiting = new[max(0, self._most - len(others)) :]
        running = [row for row in others if row.status == RUNNING]
        ending = sum(1 for row in others if row.status == KILLING)
        if wanted := min(len(waiting) - ending, len(running)) if waiting else 0:
            used = ports.connected()
            running.sort(key=lambda row: (row.port in used, row.start_time or 0, row.id))
            reason = f"stopped for another one: at most {self._most} run at once (local_tensorboards)"
            for row in running[: max(0, wanted)]:
                self._store.visualizations.transition(row.id, (RUNNING,), KILLING, reason=reason)
        return set(waiting)

    def _follow(self, row: Visualization) -> None:
        transition = self._store.visualizations.transition
        process = _process(row)
        if row.status == KILLING:
            self._end(row, process)
        elif row.pid is None:
            if reason := self._start(row):
                transition(row.id, (INIT,), RUN_FAILED, end_time=now(), reason=reason)
        elif not process.is_running():
            reason = f"TensorBoard ended by itself: {_last_log_line(self._log(row))}"
            transition(row.id, STARTED, RUN_FAILED, end_time=now(), reason=reason)
        elif row.status == INIT and ports.is_open(row.port or 0):
            transition(row.id, (INIT,), RUNNING, start_time=now())
        elif is_over(row):
            self._stop(process)
            transition(row.id, (RUNNING,), COMPLETED, end_time=now(), reason="its running time is over")

    def _start(self, row: Visualization) -> str:
        """Start a TensorBoard. Returns why it cannot be started, or an empty text; others are not affected."""
        try:
            folder = ObsPath.parse(row.train_url)
            missing = self._home.missing_bucket("train_url", folder)
            if not missing:
                self._launch(row, folder.under(self._home.buckets))
            return missing
        except StoreUnavailable:
            raise  # the visualization job is not to blame: it is tried again
        except Exception as error:
            logger.exception("visualization job %s cannot be started", row.id)
            return f"TensorBoard cannot be started: {error!r}; {self._home.service_log} says more"

    def _launch(self, row: Visualization, folder: Path) -> None:
        log = self._log(row)
        log.parent.mkdir(parents=True, exist_ok=True)
        (port,) = ports.free_ports(1)
        arguments = ["--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port), "--reload_interval", "1"]
        with log.open("ab") as output:
            process = self._children.start(
                [sys.executable, "-m", "tensorboard.main", *arguments], stdout=output, stderr=output, cwd=log.parent
            )
        known = {"pid": process.pid, "process_started": int(process.started or 0), "port": port}
        if not self._store.visualizations.transition(row.id, (INIT,), INIT, **known):
            self._stop(process)  # its end was requested meanwhile; the process is recorded nowhere

    def _stop(self, process: Process) -> None:
        if process not in self._stopping and process.signal(signal.SIGTERM):
            self._stopping[process] = time.monotonic() + PATIENCE

    def _kill_overdue(self) -> None:
        for process, deadline in list(self._stopping.items()):
            if not process.is_running():
                del self._stopping[process]
            elif time.monotonic() > deadline:
                process.signal_group(signal.SIGKILL)

    def _end(self, row: Visualization, process: Process) -> None:
        if process.is_running():
            self._stop(process)
        elif row.delete_requested:
            self._store.visualizations.delete(row.id)
            shutil.rmtree(self._log(row).parent, ignore_errors=True)
        else:
            transition = self._store.visualizations.transition
            transition(row.id, (KILLING,), KILLED, end_time=now(), reason=row.reason or "stopped by its user")

    def _log(self, row: Visualization) -> Path:
        return self._home.root / "visualizations" / str(row.id) / "tensorboard.log"


def is_over(row: Visualization) -> bool:
    """Whether its running time is over; 0 hours means no limit."""
    return remaining(row) == 0


def remaining(row: Visualization) -> int | None:
    """Milliseconds until it is stopped; `None` if it has no limit."""
    if not row.hours or row.start_time is None:
        return None
    return max(0, row.start_time + row.hours * HOUR - now())


def _process(row: Visualization) -> Process:
    """The process of a TensorBoard; it may have ended, or never have been started."""
    return Process(row.pid or 0, f"{row.process_started or 0:.0f}")


def _last_log_line(log: Path) -> str:
    """The last line of the log of a TensorBoard, or what is wrong with it."""
    try:
        with files.open_regular(log) as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_END))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError as error:
        return f"its log cannot be read ({error.strerror})"
    return lines[-1] if lines else "its log is empty"
