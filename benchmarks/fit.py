"""What `fit(wait=True)` adds to a training that does nothing, and what its isolation costs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

from benchmarks.measure import alternate, milliseconds, python_ms
from benchmarks.support import DATA, estimator, local_session
from benchmarks.table import Row

ROUNDS = 30
NODES = """
import json, sys, tempfile, time
from modelarts.local.places import isolation
from modelarts.local.places.tree import Tree

def start(setting):
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        tree = Tree(folder + "/node", ("/tmp", "/cache", "/home/work", "/home/work/user-job-dir"), "/nothing", ())
        node = isolation.open_node(tree, setting)
        node.run(["/bin/true"], {})
        if node.wait() or node.problem:
            raise RuntimeError(f"no isolation here: {node.problem}")
        return (time.perf_counter() - began) * 1e3

print(json.dumps([start("auto") - start("off") for _ in range(int(sys.argv[1]))]))
"""  # as a supervisor does: a process without threads


def measure() -> Iterator[Row]:
    with local_session() as session:
        training = estimator(session, "")
        numbers = count()

        def fit() -> float:
            with contextlib.redirect_stdout(io.StringIO()) as screen:
                took = milliseconds(lambda: training.fit(DATA, wait=True, job_name=f"empty-{next(numbers)}"))
            if "JOBSTAT_COMPLETED" not in screen.getvalue():
                raise RuntimeError(f"the training did not complete: {screen.getvalue()}")
            return took

        samples, base = alternate(ROUNDS, fit, python_ms("pass"))
    yield Row(
        name="fit(wait=True), empty script", unit="ms", samples=samples, aim=6, yardstick="python -c pass", base=base,
        note="for comparison: TorchX in the caller's own process 6x, submitit's result() 50x to 58x",
    )  # fmt: skip
    command = [sys.executable, "-c", NODES, str(ROUNDS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    differences = json.loads(subprocess.check_output(command, env=environment))
    yield Row(name="isolation of a node, more than without", unit="ms", samples=differences, aim=15)
