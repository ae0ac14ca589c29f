"""Following a log that has been written: how fast its text comes through, and what service and client hold meanwhile.

Every sample has a service and a client of its own, so that nothing is held from the one before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import KEEPS_PEAKS, alternate, growth_of
from benchmarks.support import DATA, estimator, fresh_home
from benchmarks.table import Row
from modelarts.estimator import TrainingJob
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.session import Session

SMALL, LARGE = 20, 100  # MB
LINES = {"100 B": (100, "x"), "1 MB": (1_000_000, "x"), "1 MB Chinese": (1_000_000, "训")}  # bytes, filled with
ROUNDS = 5
MEGA = 1_000_000
AROUND = 1000  # bytes that the service may write around what a script prints, and a client around the log
SCRIPT = """
rest = "{character}" * {characters}
for number in range({count}):
    print(f"{{number:08}} {{rest}}")
"""


class Followed(NamedTuple):
    """What one following took: MB/s, and by how many MiB each process grew."""

    speed: float
    service: float
    client: float


def measure() -> Iterator[Row]:
    with fresh_home() as home:
        for name in LINES:
            yield from _rows(home, name)


def _rows(home: Path, name: str) -> Iterator[Row]:
    small, large = _job_with_log(home, SMALL, name), _job_with_log(home, LARGE, name)
    least = [_follow(home, small) for _ in range(ROUNDS)]
    most: list[Followed] = []

    def speed() -> float:
        most.append(_follow(home, large))
        return most[-1].speed

    samples, base = alternate(ROUNDS, speed, lambda: _cat(_log(home, large)))
    yield Row(
        name=f"following {LARGE} MB, {name} lines", unit="MB/s", samples=samples, at_least=True,
        yardstick="cat log | wc -c", base=base,
    )  # fmt: skip
    if KEEPS_PEAKS:
        for size, took in ((SMALL, least), (LARGE, most)):
            service, client = [one.service for one in took], [one.client for one in took]
            yield Row(name=f"service's growth, {size} MB, {name} lines", unit="MiB", samples=service, aim=32)
            yield Row(name=f"client's growth, {size} MB, {name} lines", unit="MiB", samples=client, aim=32)


def _job_with_log(home: Path, megabytes: int, name: str) -> TrainingJob:
    """A job that has ended and printed so much in such lines."""
    length, character = LINES[name]
    characters = (length - len("00000000 \n")) // len(character.encode())
    script = SCRIPT.format(character=character, characters=characters, count=megabytes * MEGA // length)
    with Session.local(home) as session:
        job = estimator(session, script).fit(DATA, job_name=f"follow-{megabytes}-{list(LINES).index(name)}")
        job.wait(show=False)
    if abs(_log(home, job).stat().st_size - megabytes * MEGA) > AROUND:
        raise RuntimeError(f"{_log(home, job)} is not of {megabytes} MB")
    return job


def _log(home: Path, job: TrainingJob) -> Path:
    return LocalHome.of(home).job(int(job.version_id or 0)).log(0)


def _cat(log: Path) -> float:
    """MB/s."""
    began = time.perf_counter()
    with subprocess.Popen(["cat", str(log)], stdout=subprocess.PIPE) as cat:
        counted = int(subprocess.check_output(["wc", "-c"], stdin=cat.stdout))
    return counted / MEGA / (time.perf_counter() - began)


def _follow(home: Path, job: TrainingJob) -> Followed:
    """Follow a log to its end in a fresh client, on a fresh service."""
    daemon.stop(home)
    address = daemon.ensure(home)
    service = growth_of(address.pid)
    command = [sys.executable, "-m", "benchmarks.follow", str(home), str(job.job_id), str(job.version_id)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        counted = int(subprocess.check_output(["wc", "-c"], stdin=client.stdout))
        assert client.stderr is not None
        said = client.stderr.read()
    size = _log(home, job).stat().st_size
    if client.returncode or not size <= counted < size + AROUND:
        raise RuntimeError(f"the log has {size} bytes, the client printed {counted}: {said}")
    took, growth = json.loads(said)
    return Followed(size / MEGA / took, service(), growth)


def _client(home: Path, job_id: int, version_id: int) -> None:
    """Follow, then say how many seconds it took and by how many MiB this process grew."""
    with Session.local(home) as session:
        job = TrainingJob(session, job_id, version_id)
        job.get_job_info()
        growth = growth_of(os.getpid())
        began = time.perf_counter()
        job.wait()
        took = time.perf_counter() - began
        print(json.dumps([took, growth()]), file=sys.stderr)


if __name__ == "__main__":
    _client(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
