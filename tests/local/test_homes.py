"""Homes that are removed or moved while the service runs, and homes that cannot be used."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.errors import ConfigError, ServiceError
from modelarts.local import daemon, locks
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from modelarts.session import Session
from tests.support.jobs import estimator, put_code, until
from tests.support.processes import end_service, running

SLEEP = """
import os, signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
os.execvp("sleep", ["sleep", "{mark}"])
"""


@pytest.fixture
def mark() -> str:
    """In the commands of all that a job leaves running."""
    return f"8{os.getpid()}"


@pytest.fixture
def busy(home: Path, tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """The service of a home, with a job that does not end by itself."""
    monkeypatch.setenv("MODELARTS_LOCAL_GRACE", "0.5")
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, SLEEP.replace("{mark}", mark))
        estimator(session).fit(inputs="/bucket/data/")
        until(lambda: len(running(mark)) == 2)
        found = daemon.find(home)
        assert found is not None
        yield Process(found.pid, found.started)


def test_a_service_whose_home_is_removed_ends_with_its_jobs(busy, home, mark):
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)  # the service may have written meanwhile

    until(lambda: not busy.is_running())
    until(lambda: running(mark) == [])
    assert not LocalHome.of(home).address.exists()


def test_a_service_whose_home_is_moved_ends_with_its_jobs_and_leaves_a_new_one_alone(busy, home, mark):
    moved = home.with_name("moved")
    home.rename(moved)
    with Session.local(home) as session:
        assert session.client.call("list_job_engines").is_success

        until(lambda: not busy.is_running())
        until(lambda: running(mark) == [])
        assert daemon.find(home) is not None  # its address is still there
        assert session.client.call("list_job_engines").is_success

    with Session.local(moved) as session:  # with what it had
        until(lambda: session.client.call("list_training_jobs").jobs[0].status == 14)
    end_service(moved)


def test_a_service_whose_lock_is_removed_ends_and_the_next_one_follows_its_jobs(busy, home, mark):
    LocalHome.of(home).running.unlink()

    until(lambda: not busy.is_running())
    with Session.local(home) as session:
        assert session.client.call("list_training_jobs").jobs[0].status == 8
    assert len(running(mark)) == 2


def test_a_service_on_a_copy_of_a_home_does_not_touch_the_jobs_of_the_original(busy, home, mark):
    copy = home.with_name("copy")
    shutil.copytree(home, copy, symlinks=True)
    with Session.local(copy) as session:
        until(lambda: session.client.call("list_training_jobs").jobs[0].status == 14)
    end_service(copy)

    assert len(running(mark)) == 2
    with Session.local(home) as session:
        assert session.client.call("list_training_jobs").jobs[0].status == 8


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a\0b", r"'a\\x00b': embedded null byte"),
        (Path("a\0b"), r"'a\\x00b': embedded null byte"),
        ("\ud800", "surrogates not allowed"),
        ("a" * 5000, "File name too long"),
        ("{}/loop", "Too many levels of symbolic links"),
        ("{}/file", "Not a directory"),
        ("{}/dangling", "File exists"),
    ],
    ids=["NUL", "path with NUL", "surrogate", "long", "loop", "file", "dangling link"],
)
def test_a_home_that_cannot_be_one_is_reported(tmp_path, name, problem):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to("/nowhere/at/all")
    (tmp_path / "file").touch()
    name = name.format(tmp_path) if isinstance(name, str) else name

    with pytest.raises(ServiceError, match=rf"cannot keep its state in .*{problem}.* Give another folder") as caught:
        Session.local(name)

    assert str(caught.value).encode()  # can be shown


def test_a_relative_home_in_a_folder_that_was_removed_is_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    os.chdir("gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(ConfigError, match="'state' is relative to the working directory, which was removed"):
        Session.local("state")


def test_a_service_that_has_ended_is_never_found_because_others_look(tmp_path):
    paths = LocalHome.of(tmp_path)
    paths.root.mkdir()
    paths.running.touch()
    found, stop = [], threading.Event()

    def look() -> None:
        while not stop.is_set():
            found.append(locks.is_held(paths.running))

    others = [threading.Thread(target=look) for _ in range(4)]
    for other in others:
        other.start()
    until(lambda: len(found) > 2000)
    stop.set()
    for other in others:
        other.join()

    assert not any(found)
