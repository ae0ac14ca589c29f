"""Programs that install packages for a job: nothing of them outlives a stop or the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modelarts.local.environments import Cancelled
from modelarts.local.places.installer_process import Progress, run
from modelarts.local.places.worker_log import Log
from tests.support.jobs import until
from tests.support.processes import running

# As the installation of a package may do: one child in a session of its own, without any variables.
LEAVE = "env -i setsid sleep {mark} & sleep {mark}"
SUPERVISE = """
import sys, threading
from pathlib import Path
from modelarts.local.places.installer_process import Progress, run
run(["sh", "-c", sys.argv[1]], {"PATH": "/usr/bin:/bin"}, "/", Progress([], threading.Event(), lambda process: None))
"""
PATHS = {"PATH": os.environ["PATH"]}


@pytest.fixture
def mark() -> str:
    return f"5{os.getpid()}"


def test_nothing_of_an_installation_outlives_its_supervisor(mark):
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISE, LEAVE.format(mark=mark)])
    until(lambda: len(running(f"sleep {mark}")) >= 3)  # with the shell

    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()

    until(lambda: running(mark) == [])


def test_nothing_of_an_installation_outlives_a_stop(mark):
    stopped = threading.Event()
    threading.Thread(target=lambda: until(lambda: len(running(f"sleep {mark}")) >= 3) and stopped.set()).start()

    with pytest.raises(Cancelled):
        run(["sh", "-c", LEAVE.format(mark=mark)], PATHS, "/", Progress([], stopped, lambda process: None))

    assert running(mark) == []


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_code_is_that_of_the_program_and_what_it_left_is_ended(mark, tmp_path: Path, script, code):
    ended = run(["sh", "-c", f"setsid sleep {mark} & echo in $PWD; {script}"], PATHS, str(tmp_path),
                Progress([], threading.Event(), lambda process: None))  # fmt: skip

    assert (ended.code, ended.output) == (code, f"in {tmp_path}\n")
    assert running(mark) == []


def test_logins_and_tokens_in_urls_are_neither_in_the_log_nor_in_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "printf 'Collecting a@https://me:wo'; sleep 0.05; printf 'rd@host/a.whl\\nerror: http://host/t/tk-1/main'"
    written: list[bytes] = []
    log = Log()
    monkeypatch.setattr(log, "write", written.append)

    ended = run(["sh", "-c", f"{script}; exit 1"], PATHS, "/", Progress([log], threading.Event(), lambda process: None))

    assert ended.output == "Collecting a@https://****@host/a.whl\nerror: http://host/t/****/main"
    assert b"".join(written).decode() == ended.output and ended.reason == "error: http://host/t/****/main"


def test_a_program_that_cannot_be_started_is_an_error(mark):
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], PATHS, "/", Progress([], threading.Event(), lambda process: None))
