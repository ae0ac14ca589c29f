"""Visualization jobs: real TensorBoard processes that outlive the service."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, KILLING, RUN_FAILED, RUNNING
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store, StoreError, now
from modelarts.local.store.records import Visualization

logger = logging.getLogger("modelarts.local")

INTERVAL = 0.1  # seconds between looks while a viewer starts or ends
CALM = 1.0  # … while viewers only run
PATIENCE = 5.0  # seconds between asking a viewer to end and ending it
HOUR = 3_600_000  # milliseconds
STARTED = (INIT, RUNNING)


def is_installed() -> bool:
    """Whether there is a TensorBoard to start."""
    return importlib.util.find_spec("tensorboard") is not None


class Viewers:
    """One thread that starts, follows and ends viewers; all it knows is in the store."""

    def __init__(self, store: Store, home: LocalHome) -> None:
        self._store = store
        self._home = home
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._thread = threading.Thread(target=self._run, name="viewers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop looking; viewers stay up."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether a viewer is up, or about to be."""
        return bool(self._store.visualizations.with_status(INIT, RUNNING, KILLING))

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                pause = self.tick()
            except Exception:
                logger.exception("a step of the viewers failed")
                pause = CALM
            self._wake.wait(pause)

    def tick(self) -> float | None:
        """One step; seconds until the next one is due, or nothing to wait for but a call."""
        for row_id, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[row_id]
        rows = self._store.visualizations.with_status(INIT, RUNNING, KILLING)
        for row in rows:
            self._step(row)
        if not rows:
            return None
        return CALM if all(row.status == RUNNING for row in rows) else INTERVAL

    def _step(self, row: Visualization) -> None:
        transition = self._store.visualizations.transition
        process = _process(row)
        if row.status == KILLING:
            self._end(row, process)
        elif row.pid is None:
            if reason := self._begun(row):
                transition(row.id, (INIT,), RUN_FAILED, end_time=now(), reason=reason)
        elif process is None:
            reason = f"TensorBoard ended by itself: {_last_line(self._log(row))}"
            transition(row.id, STARTED, RUN_FAILED, end_time=now(), reason=reason)
        elif row.status == INIT and _answers(row.port or 0):
            transition(row.id, (INIT,), RUNNING, start_time=now())
        elif is_over(row):
            process.terminate()
            transition(row.id, (RUNNING,), COMPLETED, end_time=now(), reason="its running time is over")

    def _begun(self, row: Visualization) -> str:
        """Start a viewer; why it cannot be, which must not keep others from theirs."""
        try:
            folder = ObsPath.parse(row.train_url)
            missing = self._home.missing_bucket("train_url", folder)
            if not missing:
                self._launch(row, folder.under(self._home.buckets))
            return missing
        except StoreError:
            raise  # the visualization job is not to blame: it is tried again
        except Exception as error:
            logger.exception("visualization job %s cannot be started", row.id)
            return f"TensorBoard cannot be started: {error!r}; {self._home.service_log} says more"

    def _launch(self, row: Visualization, folder: Path) -> None:
        log = self._log(row)
        log.parent.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        arguments = ["--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port), "--reload_interval", "1"]
        with log.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "tensorboard.main", *arguments], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, cwd=log.parent,
            )  # fmt: skip
        self._children[row.id] = child
        started = psutil.Process(child.pid).create_time()
        known = {"pid": child.pid, "process_started": started, "port": port}
        if not self._store.visualizations.transition(row.id, (INIT,), INIT, **known):
            _end_group(psutil.Process(child.pid))  # stopped meanwhile: nobody would know of it

    def _end(self, row: Visualization, process: psutil.Process | None) -> None:
        if process is not None:
            _end_group(process)
        if row.delete_requested:
            self._store.visualizations.delete(row.id)
            shutil.rmtree(self._log(row).parent, ignore_errors=True)
            return
        self._store.visualizations.transition(row.id, (KILLING,), KILLED, end_time=now(), reason="stopped by its user")

    def _log(self, row: Visualization) -> Path:
        return self._home.root / "visualizations" / str(row.id) / "tensorboard.log"


def is_over(row: Visualization) -> bool:
    """Whether the running time that its creator gave has passed; 0 hours means no limit."""
    return left(row) == 0


def left(row: Visualization) -> int | None:
    """Milliseconds until it ends by itself; nothing when it does not."""
    if not row.hours or row.start_time is None:
        return None
    return max(0, row.start_time + row.hours * HOUR - now())


def _process(row: Visualization) -> psutil.Process | None:
    """The viewer's process, if it is still that one and no zombie."""
    try:
        process = psutil.Process(row.pid or -1)
        same = abs(process.create_time() - (row.process_started or 0)) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.NoSuchProcess, ValueError):
        return None


def _end_group(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        process.terminate()
        try:
            process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it wrote nothing"
