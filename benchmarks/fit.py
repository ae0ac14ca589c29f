"""What `fit(wait=True)` adds to a training that does nothing."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from itertools import count

from benchmarks.measure import alternate, milliseconds, python_ms
from benchmarks.support import DATA, estimator, local_session
from benchmarks.table import Row

ROUNDS = 30


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
        name="fit(wait=True), empty script", unit="ms", samples=samples, aim=15, yardstick="python -c pass", base=base,
        note="for comparison: TorchX in the caller's own process 6x, submitit's result() 50x to 58x",
    )  # fmt: skip
