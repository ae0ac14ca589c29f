"""Which process is meant: locks that are probed by many, and pids that belong to another process by now."""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import ServiceError
from modelarts.local import daemon, locks
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from modelarts.session import Session
from tests.support.jobs import until

ROUNDS = 2000


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that nobody may signal."""
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process
        finally:
            process.kill()


def test_probes_at_the_same_time_do_not_take_each_other_for_the_holder(tmp_path):
    lock = tmp_path / "lock"
    lock.touch()
    held: list[bool] = []

    def probe() -> None:
        held.extend(locks.is_held(lock) for _ in range(ROUNDS))

    probing = [threading.Thread(target=probe) for _ in range(4)]
    for thread in probing:
        thread.start()
    for thread in probing:
        thread.join()

    assert (len(held), any(held)) == (4 * ROUNDS, False)


def test_a_probe_during_the_start_does_not_keep_the_service_from_its_lock(home):
    lock = LocalHome.of(home).running
    lock.parent.mkdir(parents=True)
    lock.touch()
    ended = threading.Event()

    def probe() -> None:
        while not ended.is_set():
            locks.is_held(lock)

    probing = [threading.Thread(target=probe) for _ in range(2)]
    for thread in probing:
        thread.start()
    try:
        assert daemon.ensure(home).pid
    finally:
        ended.set()
        for thread in probing:
            thread.join()


def test_a_start_waits_for_a_service_that_is_exiting(home):
    """It has removed its address, and holds its lock until it has ended."""
    lock = LocalHome.of(home).running
    lock.parent.mkdir(parents=True)
    held = lock.open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    exiting = threading.Timer(1.5, held.close)
    exiting.start()
    try:
        assert daemon.ensure(home).pid
    finally:
        exiting.join()


@pytest.mark.parametrize("started", [None, "", "1"], ids=["absent", "empty", "of another process"])
def test_a_process_with_the_pid_of_a_killed_service_is_never_signalled(home, sleeper, started):
    paths = LocalHome.of(home)
    paths.root.mkdir(parents=True)
    address = {"url": "http://127.0.0.1:9", "token": "t", "project_id": "local", "pid": sleeper.pid}
    paths.address.write_text(json.dumps(address if started is None else {**address, "started": started}))
    with paths.running.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a service does that starts now and has written no address yet

        assert daemon.stop(home) is False

    assert daemon.find(home) is None
    assert sleeper.poll() is None


def test_only_the_process_with_the_same_start_time_is_signalled(sleeper):
    process = Process.of(sleeper.pid)

    assert not Process(sleeper.pid, str(int(process.started) - 1)).signal(signal.SIGTERM)
    assert not Process(sleeper.pid, "").signal(signal.SIGTERM)
    assert process.is_running()
    assert process.signal(signal.SIGTERM)

    assert sleeper.wait(10) == -signal.SIGTERM
    assert not process.exists()
    assert not process.signal(signal.SIGTERM)


def test_a_process_that_has_ended_and_was_not_waited_for_does_not_run(sleeper):
    process = Process.of(sleeper.pid)

    process.signal(signal.SIGKILL)
    until(lambda: not process.is_running())

    assert process.exists()


def test_a_process_whose_first_thread_has_ended_runs_until_the_last_one_has():
    code = """
import ctypes, os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as started:
        process = Process.of(started.pid)
        until(lambda: b") Z " in Path(f"/proc/{started.pid}/stat").read_bytes())
        assert process.is_running()

        started.stdin.close()
        until(lambda: not process.is_running())


# --- systems without what the service needs


@pytest.fixture(params=["win32", "darwin"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process on another system: on Windows without `fcntl`."""
    for name in [name for name in sys.modules if name.startswith("modelarts.local")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(sys.modules["modelarts"], "local", raising=False)
    if request.param == "win32":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(sys, "platform", request.param)
    return str(request.param)


def test_a_local_session_says_what_the_service_needs(elsewhere, home):
    with pytest.raises(ServiceError) as caught:
        Session.local(home)

    needs = "the local service needs Linux; on Windows use WSL, on a Mac use Linux in a container or virtual machine"
    assert str(caught.value) == needs


@pytest.mark.parametrize("command", ["start", "stop", "status", "credentials", "dataset list", "dataset remove a b"])
def test_commands_say_what_the_service_needs(elsewhere, command, home, monkeypatch):
    (home / "local").mkdir(parents=True)
    (home / "local" / "store.db").touch()
    monkeypatch.setenv("MODELARTS_HOME", str(home))

    ran = CliRunner().invoke(cli, ["local", *command.split()])

    assert isinstance(ran.exception, ServiceError)
    assert "on Windows use WSL" in str(ran.exception)


def test_the_sentence_depends_on_fcntl_alone_too(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.delitem(sys.modules, "modelarts.local.locks")

    with contextlib.suppress(AttributeError):
        monkeypatch.delattr(sys.modules["modelarts.local"], "locks")
    with pytest.raises(ServiceError, match="needs Linux; on Windows use WSL"):
        import modelarts.local.locks  # noqa: F401
