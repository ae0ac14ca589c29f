"""Creating configurations durably and reading them back, with one client."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.measure import alternate
from benchmarks.support import Client, client_of, fresh_home
from benchmarks.table import Row
from modelarts.local import daemon

ROUNDS = 150
PAIRS = 10  # in one sample
CONFIG: dict[str, Any] = {
    "config_desc": "a description", "worker_server_num": 1, "app_url": "/bucket/src/",
    "boot_file_url": "/bucket/src/train.py", "engine_id": 1, "spec_id": 1, "data_url": "/bucket/data/",
    "train_url": "/bucket/output/", "log_url": "/bucket/log/",
    "parameter": [{"label": "learning_rate", "value": "0.001"}, {"label": "batch_size", "value": "16"}],
}  # fmt: skip


def measure() -> Iterator[Row]:
    with fresh_home() as home, _bare_server() as bare:
        address = daemon.ensure(home)
        service, configs = client_of(address), f"/v1/{address.project_id}/training-job-configs"
        numbers = count()
        samples, base = alternate(
            ROUNDS,
            lambda: _pairs_per_second(service, configs, numbers),
            lambda: _pairs_per_second(bare, "/configs", numbers),
        )
    yield Row(
        name="create + read back, durable", unit="pairs/s", samples=samples, aim=0.7, at_least=True,
        yardstick="bare WSGI + SQLite", base=base,
    )  # fmt: skip


def _pairs_per_second(client: Client, path: str, numbers: Iterator[int]) -> float:
    names = [f"config-{next(numbers)}" for _ in range(PAIRS)]
    bodies = [json.dumps({"config_name": name, **CONFIG}).encode() for name in names]
    began = time.perf_counter()
    for name, body in zip(names, bodies):
        client.ask("POST", path, body)
        client.ask("GET", f"{path}/{name}")
    return PAIRS / (time.perf_counter() - began)


@contextmanager
def _bare_server() -> Iterator[Client]:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "benchmarks.bare_server", str(Path(scratch, "store.db"))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield Client(f"http://127.0.0.1:{int(process.stdout.readline())}", {})
            finally:
                process.terminate()
