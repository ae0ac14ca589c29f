"""The process that forks supervisors may be killed or stopped at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, shared, until

GATED = "import os, time\nwhile not os.path.exists({gate!r}): time.sleep(0.02)\n"


def fork_server(home: Path) -> Process | None:
    service = daemon.find(home)
    with contextlib.suppress(OSError):  # a thread or a child has just ended
        for task in Path(f"/proc/{service.pid}/task").iterdir():
            for pid in map(int, (task / "children").read_text().split()):
                if b"fork_server.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return Process.of(pid)
    return None


def test_jobs_start_and_run_on_although_it_is_killed_again_and_again(shared_session, shared_home, tmp_path):
    gate, killed, started = shared(shared_home) / "gate", [], threading.Event()
    put_code(shared_session, tmp_path, GATED.format(gate=str(gate)))
    first = estimator(shared_session).fit(inputs="/bucket/data/")
    until(lambda: first.get_job_info().status == 8)

    def kill() -> None:
        while len(killed) < 4 and not started.wait(0.005):
            server = fork_server(shared_home)
            if server is not None and server not in killed and server.signal(signal.SIGKILL):
                killed.append(server)

    killing = threading.Thread(target=kill)
    killing.start()
    second = estimator(shared_session).fit(inputs="/bucket/data/")
    until(lambda: len(killed) == 4 or LocalHome.of(shared_home).job(second.version_id).workers.exists())
    started.set()
    killing.join()
    gate.touch()

    assert first.wait(timeout=30, show=False).status == 10
    assert second.wait(timeout=30, show=False).status == 10


def test_a_job_starts_although_it_is_stopped(shared_session, shared_home, tmp_path):
    put_code(shared_session, tmp_path, ACCEPT_ANY)
    estimator(shared_session).fit(inputs="/bucket/data/").wait(show=False)
    os.kill(until(lambda: fork_server(shared_home)).pid, signal.SIGSTOP)

    assert estimator(shared_session).fit(inputs="/bucket/data/").wait(timeout=15, show=False).status == 10
