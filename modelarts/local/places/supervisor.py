"""Runs one version and records its end, in a process that outlives the service.

The record of the end is renamed into place, so that a reader sees all of it or nothing. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from typing import Any

from modelarts.local import files
from modelarts.local.places import boot_file, ends, isolation, nodes
from modelarts.local.places.ends import End
from modelarts.local.places.results import Results
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log, copy, explain
from modelarts.local.processes import Process

GRACE = 5.0  # seconds from SIGTERM to SIGKILL for a worker
FIRST_SAMPLE = 0.2  # seconds until the usage of the workers is measured
CODE_MISSING = 127  # the platform's return code for a code directory that cannot be fetched
_RECORD_SIZE = 4096


class Supervisor:
    """One version: creates the folders, starts the workers and waits for their end."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.stopped = threading.Event()
        self.ended = threading.Event()
        self.logs = [Log(worker["log"], worker["log_object"]) for worker in spec["workers"]]
        self.nodes: list[isolation.Node] = []
        self.pumps: list[threading.Thread] = []
        self.changed = threading.Condition()
        self.codes: dict[int, int] = {}  # exit codes by worker, in the order of their ends
        self.others: list[int] = []  # workers that were ended by a stop, or because another one failed
        self.results: Results | None = None
        self.in_containers = False

    def run(self) -> dict[str, Any]:
        """Run the version; returns the record of its end, without the end time."""
        failed: End | None = None
        try:
            self.choose_container()
            nodes.open_all(self.spec, self.logs, self.nodes, self.begin, with_remarks=not self.in_containers)
            self.prepare()
            self.results = Results(self.spec)
            self.start()
            threading.Thread(target=self.measure, daemon=True).start()
            self.follow()
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
        for pump in self.pumps:
            pump.join(GRACE)
        end = failed or self.end()
        if self.results is not None:
            self.results.conclude([log.note for log in self.logs], completed=end.code == 0)
        ends.write(end, self.logs)
        outcome = "stopped" if self.stopped.is_set() else "completed" if end.code == 0 else "failed"
        problems = [log.problem for log in self.logs if log.problem][:1]
        return {"outcome": outcome, "exit_code": end.code, "reason": "; ".join(filter(None, [end.reason, *problems]))}

    def choose_container(self) -> None:
        """Let workers of a custom image start containers, if an engine can; they need no tree then."""
        if "image" in self.spec and not self.spec["fault"]:
            from modelarts.local.places import images

            self.in_containers = images.choose(self.spec, self.note, self.stopped.is_set)

    def note(self, text: str) -> None:
        for log in self.logs:
            log.note(text)

    def begin(self, worker: dict[str, Any]) -> None:
        """Create files that a worker will need, while its node is opened. What fails is left to `prepare`."""
        with contextlib.suppress(OSError, ValueError):
            if not self.spec["fault"]:
                self.copy_code(worker)
                if self.has_python():
                    from modelarts.local.places import packages

                    packages.begin(self.spec, worker)

    def prepare(self) -> None:
        spec = self.spec
        if spec["fault"]:
            raise StartFailure(spec["fault"])
        code = spec["code"]
        if code is not None and not os.path.isdir(code["source"]):
            next_step = "session.obs.upload_dir uploads code; a local code_dir is uploaded by itself"
            raise StartFailure(f"the code directory {code['url']} does not exist; {next_step}", CODE_MISSING)
        if spec["input"] is not None and not os.path.exists(spec["input"]["path"]):
            raise StartFailure(f"the input data {spec['input']['url']} do not exist")
        try:
            for path in spec["outputs"]:
                os.makedirs(path, exist_ok=True)
            for worker in spec["workers"]:
                self.copy_code(worker)
            self.provide_scripts()
        except (OSError, ValueError) as error:
            raise StartFailure(f"the job's folders cannot be created: {error}") from None
        if self.has_python():
            from modelarts.local.places import packages

            spec["visible"] = packages.prepare(
                spec, self.logs, self.stopped, lambda installer: self.record_workers(0, installer)
            )

    def copy_code(self, worker: dict[str, Any]) -> None:
        if worker.get("has_code"):
            return
        os.makedirs(worker["directory"], exist_ok=True)
        if self.spec["code"] is not None:
            target = os.path.join(worker["directory"], self.spec["code"]["name"])
            shutil.copytree(self.spec["code"]["source"], target, dirs_exist_ok=True)
        worker["has_code"] = True

    def has_python(self) -> bool:
        """Whether workers get a Python environment of their own."""
        return "python" in self.spec and not self.in_containers

    def provide_scripts(self) -> None:
        for log, node, worker in zip(self.logs, self.nodes, self.spec["workers"]):
            boot_file.prepare(worker, log.note)
            if "image" in self.spec:
                from modelarts.local.places import images

                images.provide(self.spec["image"], worker, node.level.tree or self.in_containers, log.note)

    def start(self) -> None:
        visible = [*self.spec.get("visible", ())]
        for index, (log, node, worker) in enumerate(zip(self.logs, self.nodes, self.spec["workers"])):
            program, argv = worker["argv"][0], [*worker.get("launcher", ()), *worker["argv"]]
            if self.stopped.is_set():
                raise StartFailure("stopped before it started", 128 + signal.SIGTERM)
            try:
                node.show([*visible, *filter(None, [worker.get("python")])])
                node.run(argv, worker["environment"])
            except (OSError, ValueError) as error:
                why = invalid_variables(worker["environment"]) or explain(error)
                raise StartFailure(f"{program} cannot be started: {why}", 126) from None
            self.record_workers(index + 1)
            pump = threading.Thread(target=copy, args=(node.output, log), daemon=True)
            pump.start()
            self.pumps.append(pump)

    def record_workers(self, count: int, *others: Process) -> None:
        """Record the first processes of started workers, so that the service can end them if this process is killed.

        Args:
            others: further processes, which work for the version before the workers start.
        """
        workers = [process._asdict() for process in (*(node.process for node in self.nodes[:count]), *others)]
        files.write(self.spec["started"], json.dumps(workers).encode())

    def measure(self) -> None:
        """Sample the usage of the workers. psutil is imported while they run, and not for those that end at once."""
        began = time.monotonic()
        if self.ended.wait(FIRST_SAMPLE):
            return
        sys.path.extend(self.spec["packages"])
        from modelarts.local.places import usage

        measured = usage.Usage([node.process.pid for node in self.nodes], began)
        while not self.ended.is_set():
            with contextlib.suppress(OSError):  # a full disk does not end sampling: there may be space later
                files.write(self.spec["usage"], json.dumps(measured.take()).encode())
            self.ended.wait(measured.interval)

    def follow(self) -> None:
        """Wait for all workers; if one fails, the others are ended."""

        def wait_for(index: int, node: isolation.Node) -> None:
            code = node.wait()
            with self.changed:
                self.codes[index] = code
                self.changed.notify_all()

        for index, node in enumerate(self.nodes):
            threading.Thread(target=wait_for, args=(index, node), daemon=True).start()
        with self.changed:
            while not self.all_ended() and not any(self.codes.values()) and not self.stopped.is_set():
                self.changed.wait(0.1)
            if not self.all_ended():
                self.others = [index for index in range(len(self.nodes)) if index not in self.codes]
                for node in self.nodes:
                    node.stop()
                self.changed.wait_for(self.all_ended, GRACE)

    def all_ended(self) -> bool:
        return len(self.codes) == len(self.nodes)

    def end(self) -> End:
        """The end of workers that were started; those that had to be killed may take a moment."""
        with self.changed:
            self.changed.wait_for(self.all_ended, GRACE)
            codes = dict(self.codes)
        if self.stopped.is_set():
            return ends.stopped(codes, self.others, len(self.nodes))
        return ends.of_workers(codes, self.others, self.spec["workers"])

    def remove_containers(self) -> None:
        if self.in_containers:
            from modelarts.local.places import images

            images.remove(self.spec["image"]["containers"])

    def end_nodes(self) -> None:
        isolation.end(self.nodes)


def invalid_variables(environment: dict[str, str]) -> str:
    """Names that no environment variable can have, and the rule. They are hyperparameters of a custom image."""
    names = [name for name in environment if "=" in name or "\0" in name]
    rule = "the name of an environment variable contains neither '=' nor a NUL character"
    return f"{', '.join(map(repr, names))}: {rule}" if names else ""


def reserve(path: str) -> None:
    """Allocate the record of the end now, in case the disk is full then."""
    with open(f"{path}.part", "wb") as file:
        file.write(b" " * _RECORD_SIZE)


def store_end(path: str, record: dict[str, Any]) -> None:
    descriptor = os.open(f"{path}.part", os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file:
        file.write(json.dumps(record).encode())
        file.flush()
        file.truncate()
        os.fsync(file.fileno())
    os.replace(f"{path}.part", path)


def supervise(path: str, lock: int) -> None:
    """Run the version of a spec to its end. Called where there are no threads.

    Args:
        path: the spec.
        lock: descriptor of the version's lock, which this process holds.
    """
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it was ignored, the kernel keeps no exit codes of workers
    process = Process.of(os.getpid())
    files.write(spec["supervisor"], json.dumps(process._asdict()).encode())
    os.write(lock, str(process.pid).encode())
    try:
        reserve(spec["exit"])
    except OSError as error:
        spec["fault"] = f"the job's folder cannot be written: {explain(error)}"
    supervisor = Supervisor(spec)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.stopped.set())
    record = supervisor.run()
    record["end_time"] = time.time_ns() // 1_000_000
    store_end(spec["exit"], record)
