"""Memory of the service while it has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import resident_mib
from benchmarks.support import DATA, client_of, estimator, fresh_home
from benchmarks.table import Row
from modelarts.local import daemon
from modelarts.session import Session

ROUNDS = 3
CALLS = 20


def measure() -> Iterator[Row]:
    yield Row(
        name="service at rest", unit="MiB", samples=[_after_a_few_calls() for _ in range(ROUNDS)], aim=50,
        note=f"resident memory after {CALLS} calls and one training",
    )  # fmt: skip


def _after_a_few_calls() -> float:
    with fresh_home() as home, Session.local(home) as session:
        estimator(session, "").fit(DATA, job_name="memory").wait(show=False)
        address = daemon.ensure(home)
        client = client_of(address)
        for _ in range(CALLS):
            client.ask("GET", f"/v1/{address.project_id}/training-jobs")
        client.close()
        return resident_mib(address.pid)
