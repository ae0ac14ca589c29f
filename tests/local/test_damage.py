"""Files and rows that were damaged, by jobs or otherwise: each costs its version only, and the others go on."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.job import TrainingJob
from modelarts.local.paths import JobPaths, LocalHome
from modelarts.session import Session
from tests.support.jobs import estimator, put_code, shared, until
from tests.support.processes import end_service, running

# Without isolation a job reaches the files of its supervisor.
SCRIPT = """
import os, signal, subprocess, time
folder = os.path.abspath("../../../..")
supervisor = int(open(f"{folder}/supervisor.lock").read())
def write(name, text): open(f"{folder}/{name}", "w").write(text)
def sleep():
    open("{damaged}", "w").close()
    os.execvp("sleep", ["sleep", "{mark}"])
{damage}
"""
LOST, STOPPED, COMPLETED = 14, 12, 10
DAMAGES = {
    "a list of workers that is none": ("write('workers.json', '[1]'); os.kill(supervisor, 9); sleep()", LOST),
    "no list of workers": ("write('workers.json', '5'); os.kill(supervisor, 9); sleep()", LOST),
    "a pipe as list of workers": (
        "os.unlink(f'{folder}/workers.json'); os.mkfifo(f'{folder}/workers.json'); os.kill(supervisor, 9); sleep()",
        LOST,
    ),
    "a very deep spec": ("write('spec.json', '[' * 100_000); os.kill(supervisor, 9); sleep()", LOST),
    "a spec without workers": ("write('spec.json', '[1]'); os.kill(supervisor, 9); sleep()", LOST),
    "a folder as record of the end": ("os.mkdir(f'{folder}/exit.json')", COMPLETED),
    "folders as record of the end and beside it": (
        "os.mkdir(f'{folder}/exit.json'); os.unlink(f'{folder}/exit.json.part'); os.mkdir(f'{folder}/exit.json.part')",
        COMPLETED,
    ),
    "a record of the end that makes no sense": ("write('exit.json', '[1]')", COMPLETED),
    "a first process that is stopped": (
        "subprocess.Popen(['sleep', '{mark}'], env={}, start_new_session=True); os.kill(os.getppid(), signal.SIGSTOP); "
        "os.kill(supervisor, 9); sleep()",
        LOST,
    ),
    "a file as folder": ("os.rename(folder, f'{folder}.moved'); open(folder, 'w').close(); sleep()", LOST),
    "no folder": ("os.rename(folder, f'{folder}.moved'); sleep()", LOST),
}  # fmt: skip
STOPS = {
    "no digits": "write('supervisor.lock', 'text'); write('supervisor.json', 'text'); sleep()",
    "records that make no sense": "write('supervisor.json', '{\"pid\": -1, \"started\": 5}'); sleep()",
    "a stopped supervisor": "os.kill(supervisor, signal.SIGSTOP); sleep()",
}


class Trial:
    """A service without isolation, and jobs on it."""

    def __init__(self, home: Path, session: Session) -> None:
        self.home, self.session = home, session
        self.mark = f"6{os.getpid()}"
        self.damaged = shared(home / "state") / "bucket" / "damaged"
        self.numbers = itertools.count()

    def start(self, damage: str) -> TrainingJob:
        name, self.damaged = f"{next(self.numbers)}.py", self.damaged.with_name(f"damaged-{next(self.numbers)}")
        script = SCRIPT.replace("{damage}", damage).replace("{mark}", self.mark)
        put_code(self.session, self.home, script.replace("{damaged}", str(self.damaged)), name)
        return estimator(self.session, boot_file=name).fit(inputs="/bucket/data/")

    def paths(self, job: TrainingJob) -> JobPaths:
        return LocalHome.of(self.home / "state").job(job.version_id)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELARTS_LOCAL_ISOLATION", "off")
        patch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
        session = Session.local(home / "state")
    session.obs.create_bucket("bucket")
    yield Trial(home, session)
    end_service(home / "state")


def test_damaged_versions_end_with_a_reason_and_the_others_run(trial):
    jobs = {name: trial.start(script) for name, (script, _) in DAMAGES.items()}
    last = trial.start("")

    assert last.wait(timeout=60, show=False).status == COMPLETED
    found = {name: job.get_job_info() for name, job in jobs.items()}
    assert {name: int(info.status) for name, info in found.items()} == {name: end for name, (_, end) in DAMAGES.items()}
    for info in found.values():
        assert ("the process that supervised this version was killed" in (info.error_result or "")) == (
            info.status == LOST
        )
    until(lambda: running(trial.mark) == [])


@pytest.mark.parametrize("damage", STOPS)
def test_a_version_whose_supervisor_is_hard_to_reach_is_stopped(trial, damage):
    job = trial.start(STOPS[damage])
    until(trial.damaged.exists)

    job.stop_job_version()

    until(lambda: job.get_job_info().status == STOPPED)
    assert running(trial.mark) == []


def test_damaged_rows_in_the_queue_fail_with_the_reason(trial):
    gate = shared(trial.home / "state") / "bucket" / "gate"
    gate.unlink(missing_ok=True)
    first = trial.start(f"while not os.path.exists({str(gate)!r}): time.sleep(0.02)")
    bodies = ["no JSON", "[1]", "[" * 100_000, None]
    damaged, last = [trial.start("") for _ in bodies], trial.start("")
    with contextlib.closing(sqlite3.connect(LocalHome.of(trial.home / "state").store)) as store, store:
        rows = [(body, job.version_id) for body, job in zip(bodies, damaged)]
        store.executemany("UPDATE versions SET body = coalesce(?, 5) WHERE id = ?", rows)
    gate.touch()

    assert last.wait(timeout=30, show=False).status == first.get_job_info().status == COMPLETED
    for info in (job.get_job_info() for job in damaged):
        assert info.status == 11 and info.error_result.startswith("its row in the store is damaged: body")
