"""The store file: many processes open it at once, and files that older versions wrote stay readable."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from modelarts.local.store import Store
from modelarts.local.store.records import Page

# Opens one new store for each line of its input, and prints how that went.
OPEN_EACH = """
import sys
from pathlib import Path
from modelarts.local.store import Store
print("ready", flush=True)
for line in sys.stdin:
    try:
        Store(Path(line.strip())).close()
        print("opened", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""
PROCESSES, ROUNDS = 4, 12


def test_processes_that_open_a_new_store_at_once_all_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_EACH]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        assert [_read(process) for process in started] == ["ready"] * PROCESSES
        for number in range(ROUNDS):
            for process in started:
                assert process.stdin is not None
                process.stdin.write(f"{tmp_path / f'{number}.db'}\n")
            for process in started:
                assert process.stdin is not None
                process.stdin.flush()
            assert [_read(process) for process in started] == ["opened"] * PROCESSES
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_store_of_the_first_schema_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "data" / "store_schema_1.sql").read_text(encoding="utf-8"))
    connection.close()

    store = Store(path)
    total, rows = store.jobs.page(Page("create_time"), {})
    ended, running = store.jobs.versions(1)[0], store.jobs.versions(2)[0]

    assert [(row.name, int(row.status), row.delete_requested) for row in rows] == [
        ("kept", 10, 0), ("going", 8, 1), ("idle", 0, 0)
    ]  # fmt: skip
    assert total == 3
    assert (ended.end_time, ended.delete_requested, running.delete_requested) == (1_600_000_005_000, 0, 1)
    assert store.jobs.transition(2, (8,), 10)
    assert store.jobs.version(2, 2) is None
    assert store.jobs.page(Page("create_time"), {})[0] == 2
    assert store.configs.get("c") is not None
    assert store.datasets.url("ds", "v1") == "obs://bucket/data/"
    assert [row.name for row in store.visualizations.with_status(1)] == ["v"]
    store.close()
