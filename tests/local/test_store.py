"""The store file: many processes open it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
