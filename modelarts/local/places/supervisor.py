"""Runs one version and records its end, in a process that outlives the service.

The record of the end is renamed into place, so that a reader sees all of it or nothing. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from modelarts.local import files, layout, ports
from modelarts.local.places import end_record, ends, isolation, nodes
from modelarts.local.places.ends import End
from modelarts.local.places.gauge import Gauge
from modelarts.local.places.preparation import Preparation
from modelarts.local.places.results import Results
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log, explain
from modelarts.local.places.workers import Workers
from modelarts.local.processes import Process

ATTEMPTS = 5  # to start with ports that no other program takes


class Supervisor:
    """One version: creates the folders, starts the workers and waits for their end."""

    def __init__(self, spec: dict[str, Any], numbers: Sequence[int], stopped: threading.Event) -> None:
        self.spec = spec
        self.ports = numbers  # of the nodes
        self.stopped = stopped
        self.ended = threading.Event()
        self.logs = [Log(worker["log"], worker["log_object"], hidden=worker.get("secret", ""))
                     for worker in spec["workers"]]  # fmt: skip
        self.nodes: list[isolation.Node] = []
        self.workers = Workers(spec, self.logs, self.nodes, self.stopped)
        self.gauge = Gauge(spec, self.nodes, self.ended)
        self.results: Results | None = None
        self.in_containers = False

    def run(self, is_last: bool = True) -> dict[str, Any] | None:
        """Run the version.

        Args:
            is_last: whether this is the last attempt.

        Returns:
            The record of its end, without the end time; `None` if it must be tried again, with other ports.
        """
        failed: End | None = None
        try:
            self.choose_container()
            preparation = Preparation(self.spec, self.logs, self.nodes, self.in_containers)
            nodes.open_all(self.spec, self.logs, self.nodes, preparation.begin, with_remarks=not self.in_containers)
            preparation.complete(self.stopped, partial(self.workers.record, 0))
            self.check_ports()
            self.results = Results(self.spec)
            self.workers.start()
            self.gauge.start()
            self.workers.follow()
        except StartFailure as failure:
            failed = ends.of_all(failure.code, str(failure), len(self.logs))
        except Exception as error:  # noqa: BLE001  any error ends the version with a record of the reason
            import traceback

            traceback.print_exc()
            failed = ends.of_all(1, f"the workers cannot be run: {error!r}", len(self.logs))
        finally:
            self.ended.set()
            self.end_nodes()
            self.remove_containers()
        self.workers.finish_logs()
        end = failed or self.workers.end()
        if end.code and not is_last and not self.stopped.is_set() and (taken := self.taken_port()):
            self.note(f"another program has taken port {taken} of this job, which starts again with other ports")
            self.finish_threads()
            return None
        if self.results is not None:
            self.results.conclude([log.note for log in self.logs], completed=end.code == 0)
        ends.write(end, self.logs)
        outcome = "stopped" if self.stopped.is_set() else "completed" if end.code == 0 else "failed"
        problems = [log.problem for log in self.logs if log.problem][:1]
        return {"outcome": outcome, "exit_code": end.code, "reason": "; ".join(filter(None, [end.reason, *problems]))}

    def finish_threads(self) -> None:
        """Nodes are opened where there are no threads."""
        self.gauge.finish()
        self.workers.finish()

    def check_ports(self) -> None:
        """Installing packages takes a while."""
        if taken := self.taken_port():
            raise StartFailure(f"another program has taken port {taken} of this job before it started")

    def taken_port(self) -> int:
        """A port of this version on which somebody listens while it has no processes; 0 if there is none."""
        return next(filter(ports.is_open, self.ports), 0)

    def choose_container(self) -> None:
        """Let workers of a custom image start containers, if an engine can; they need no tree then."""
        if "image" in self.spec and not self.spec["fault"]:
            from modelarts.local.places import images

            self.in_containers = images.choose(self.spec, self.note, self.stopped.is_set)

    def note(self, text: str) -> None:
        for log in self.logs:
            log.note(text)

    def remove_containers(self) -> None:
        if self.in_containers:
            from modelarts.local.places import images

            images.remove(self.spec["image"]["containers"])

    def end_nodes(self) -> None:
        isolation.end(self.nodes)


def supervise(path: str, lock: int) -> None:
    """Run the version of a spec to its end. Called where there are no threads.

    Args:
        path: the spec.
        lock: descriptor of the version's lock, which this process holds.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it was ignored, the kernel keeps no exit codes of workers
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with open(path, encoding="utf-8") as file:
        text = file.read()
    spec = json.loads(text)
    try:
        record = _run(text, spec, lock, stopped)
    except Exception as error:  # noqa: BLE001  it says so, or it would look like a supervisor that was killed
        import traceback

        traceback.print_exc()
        record = {"outcome": "failed", "exit_code": 1, "reason": failure(error)}
        _report(spec, record["reason"])
    record["end_time"] = time.time_ns() // 1_000_000
    end_record.store(spec["exit"], record)


def failure(error: BaseException) -> str:
    """The reason of a version whose supervisor has failed itself."""
    why = explain(error) if isinstance(error, OSError) else repr(error)
    return f"the process that supervised this version failed: {why}"


def _report(spec: dict[str, Any], reason: str) -> None:
    """Write to the logs that the supervisor failed, as far as that is possible."""
    with contextlib.suppress(Exception):
        for worker in spec["workers"]:
            log = Log(worker["log"], worker["log_object"])
            log.note(reason)
            log.line("Training end with return code: 1")


def _run(text: str, spec: dict[str, Any], lock: int, stopped: threading.Event) -> dict[str, Any]:
    """Run the version, as often as other programs take its ports. Returns the record of its end."""
    process, problem = Process.of(os.getpid()), ""
    try:
        files.write(spec["supervisor"], json.dumps(process._asdict()).encode())
        os.write(lock, str(process.pid).encode())
        end_record.reserve(spec["exit"])
    except OSError as error:
        problem = f"the job's folder cannot be written: {explain(error)}"
    record, left = None, ATTEMPTS
    while record is None:
        left -= 1
        record = _attempt(text, problem, stopped, is_last=not left)
    return record


def _attempt(text: str, problem: str, stopped: threading.Event, is_last: bool) -> dict[str, Any] | None:
    """Run a version with ports that are free now; see `Supervisor.run`."""
    reserved = []
    try:
        reserved = ports.reserve(layout.count_ports(text))
    except OSError as error:
        problem = problem or f"no ports for the nodes: {explain(error)}"
    numbers = [each.port for each in reserved]
    spec = json.loads(layout.with_ports(text, numbers))
    spec["fault"] = problem or spec["fault"]
    try:
        return Supervisor(spec, numbers, stopped).run(is_last)
    finally:
        for each in reserved:
            each.holder.close()
