"""What an SDK call costs its process: CPU time on the client's side alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Callable

import requests

from benchmarks.measure import alternate
from benchmarks.support import DATA, estimator, local_session
from benchmarks.table import Row

ROUNDS = 40
CALLS = 50  # in one sample


def measure() -> Iterator[Row]:
    with local_session() as session, requests.Session() as plain:
        job = estimator(session, "").fit(DATA, wait=False, job_name="calls")
        job.wait(show=False)
        _, _, _, url = job.get_job_info().sent
        plain.headers.clear()
        plain.headers.update(_sent_headers(session, url))
        if plain.get(url).json().keys() != job.get_job_info().keys():
            raise RuntimeError("the two do not get the same answer")
        samples, base = alternate(ROUNDS, lambda: _cpu(job.get_job_info), lambda: _cpu(lambda: plain.get(url).json()))
    yield Row(
        name="CPU of get_job_info", unit="us", samples=samples, aim=0.9, yardstick="requests get + json", base=base
    )


def _sent_headers(session: Any, url: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    session.client.endpoint.auth.apply("GET", url, headers, b"")
    return headers


def _cpu(call: Callable[[], Any]) -> float:
    """CPU microseconds of this process for one call."""
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS * 1e6
