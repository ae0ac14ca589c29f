"""Time from calling the daemon in a fresh home to the first reply of the service."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import alternate, milliseconds, python_ms
from benchmarks.support import client_of, fresh_home
from benchmarks.table import Row
from modelarts.local import daemon

ROUNDS = 20


def measure() -> Iterator[Row]:
    samples, base = alternate(ROUNDS, _start, python_ms("pass"))
    yield Row(
        name="service start to first answer", unit="ms", samples=samples, aim=25, yardstick="python -c pass", base=base
    )


def _start() -> float:
    with fresh_home() as home:

        def first_answer() -> None:
            address = daemon.ensure(home)
            client = client_of(address)
            client.ask("GET", f"/v1/{address.project_id}/training-jobs")
            client.close()

        return milliseconds(first_answer)
