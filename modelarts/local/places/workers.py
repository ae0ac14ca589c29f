"""The workers of a version: started, followed and ended together.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import itertools
import json
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from modelarts.local import files
from modelarts.local.places import causes, ends
from modelarts.local.places.ends import End
from modelarts.local.places.isolation import Node
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log, copy, copy_lines, explain
from modelarts.local.processes import Process

PATIENCE = 5.0  # seconds in which workers end that were killed, and their output is in the logs


class Workers:
    """The programs of all nodes.

    Args:
        spec: of the version.
        logs: one for each worker.
        nodes: one for each worker; they may be opened later.
        stopped: whether the user has stopped the version.
    """

    def __init__(
        self, spec: dict[str, Any], logs: Sequence[Log], nodes: Sequence[Node], stopped: threading.Event
    ) -> None:
        self.spec = spec
        self.paths = [worker["log"] for worker in spec["workers"]]
        self.logs = logs
        self.nodes = nodes
        self.stopped = stopped
        self.pumps: list[list[threading.Thread]] = []  # of each worker, for each of its programs
        self.waiting: list[threading.Thread] = []
        self.changed = threading.Condition()
        self.codes: dict[int, int] = {}  # exit codes by worker
        self.times: dict[int, float] = {}  # when they ended
        self.labels: dict[int, str] = {}  # of the programs that failed
        self.gone: set[int] = set()  # workers of which no process is left
        self.hanging: int | None = None  # a worker that had failed, and did not end
        self.others: list[int] = []  # workers that were ended by a stop, or because another one failed

    def start(self) -> None:
        visible = [*self.spec.get("visible", ())]
        for index, (log, node, worker) in enumerate(zip(self.logs, self.nodes, self.spec["workers"])):
            launcher = worker.get("launcher", ())
            program, argv = worker["argv"][0], [*launcher, *worker["argv"]]
            beside = [{**other, "argv": [*launcher, *other["argv"]]} for other in worker["beside"]]
            if self.stopped.is_set():
                raise StartFailure("stopped before it started", 128 + signal.SIGTERM)
            try:
                node.show([*visible, *filter(None, [worker.get("python")])])
                node.run(argv, worker["environment"], beside)
            except (OSError, ValueError) as error:
                why = invalid_variables(worker["environment"]) or explain(error)
                raise StartFailure(f"{program} cannot be started: {why}", 126) from None
            self.record(index + 1)
            self.pumps.append(_pumps(node, log, [other["label"] for other in beside]))

    def record(self, count: int, *others: Process) -> None:
        """Record the first processes of started workers, so that the service can end them if this process is killed.

        Args:
            others: further processes, which work for the version before the workers start.
        """
        workers = [process._asdict() for process in (*(node.process for node in self.nodes[:count]), *others)]
        files.write(self.spec["started"], json.dumps(workers).encode())

    def follow(self) -> None:
        """Wait for all workers; if one fails, the others are ended."""
        self.waiting = [threading.Thread(target=self.wait_for, args=(index,), daemon=True)
                        for index in range(len(self.nodes))]  # fmt: skip
        for thread in self.waiting:
            thread.start()
        with self.changed:
            while len(self.codes) < len(self.nodes) and not self.failures() and not self.stopped.is_set():
                self.changed.wait(0.1)
            self.let_the_cause_end()
            self.others = [index for index in range(len(self.nodes)) if index not in self.codes]
            serving = [node for node, worker in zip(self.nodes, self.spec["workers"]) if worker["beside"]]
            for node in self.nodes if self.others else serving:
                node.stop()
            self.changed.wait_for(self.all_gone, self.spec.get("grace", PATIENCE))

    def wait_for(self, index: int) -> None:
        """Wait for one node, and record what it reports."""

        def record(code: int, at: float, label: str) -> None:
            with self.changed:
                self.codes[index], self.times[index], self.labels[index] = code, at, label
                self.changed.notify_all()

        self.nodes[index].wait(record)
        with self.changed:
            self.gone.add(index)
            self.changed.notify_all()

    def let_the_cause_end(self) -> None:
        """A worker that lost a peer may have ended before the one that is to blame: give that one some time."""
        deadline = time.monotonic() + causes.PATIENCE
        while self.failures() and len(self.codes) < len(self.nodes) and not self.stopped.is_set():
            for pump in itertools.chain(*(self.pumps[index] for index in self.failures())):
                pump.join(0.1)
            if not all(causes.lost_a_peer(self.paths[index]) for index in self.failures()):
                return
            if time.monotonic() > deadline:
                running = [index for index in range(len(self.nodes)) if index not in self.codes]
                self.hanging = causes.hanging(running, self.paths)
                return
            self.changed.wait(0.1)

    def failures(self) -> dict[int, float]:
        """When workers failed by themselves."""
        return {index: self.times[index] for index, code in self.codes.items() if code and index not in self.others}

    def all_gone(self) -> bool:
        return len(self.gone) == len(self.nodes)

    def end(self) -> End:
        """The end of workers that were started; those that had to be killed may take a moment."""
        with self.changed:
            self.changed.wait_for(self.all_gone, PATIENCE)
            codes, failures = dict(self.codes), self.failures()
        if self.stopped.is_set():
            return ends.stopped(codes, self.others, len(self.nodes))
        if not failures:
            return ends.completed(len(self.nodes))
        workers = self.spec["workers"]
        first = causes.cause(failures, self.paths)
        if self.hanging is not None and causes.lost_a_peer(self.paths[first]):
            return ends.of_hanging_worker(self.hanging, codes, self.others, workers)
        return ends.of_workers(first, codes, self.others, workers, self.labels[first])

    def finish_logs(self) -> None:
        """Wait until the output of all workers is in their logs."""
        for pump in itertools.chain(*self.pumps):
            pump.join(PATIENCE)

    def finish(self) -> None:
        """Wait until no thread is left, after all processes have been killed."""
        for thread in (*self.waiting, *itertools.chain(*self.pumps)):
            thread.join()


def _pumps(node: Node, log: Log, labels: Sequence[str]) -> list[threading.Thread]:
    """Threads that copy the output of a node's programs; those beside the script have labels."""
    if labels:
        pairs = zip(node.outputs, ["", *labels])
        pumps = [threading.Thread(target=copy_lines, args=(*pair, log), daemon=True) for pair in pairs]
    else:
        pumps = [threading.Thread(target=copy, args=(node.outputs[0], log), daemon=True)]
    for pump in pumps:
        pump.start()
    return pumps


def invalid_variables(environment: dict[str, str]) -> str:
    """Names that no environment variable can have, and the rule. They are hyperparameters of a custom image."""
    names = [name for name in environment if "=" in name or "\0" in name]
    rule = "the name of an environment variable contains neither '=' nor a NUL character"
    return f"{', '.join(map(repr, names))}: {rule}" if names else ""
