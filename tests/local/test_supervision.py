"""The service and the supervisors may be killed at any moment."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from modelarts.errors import JobLost
from modelarts.local import daemon
from modelarts.local.paths import LocalHome, read_json
from modelarts.local.processes import descendants
from modelarts.local.store import Store
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, shared, until

GATED = """
import os, time
print("up", flush=True)
while not os.path.exists({gate!r}):
    time.sleep(0.02)
print("through the gate", flush=True)
"""


def kill_service(home) -> None:
    pid = daemon.find(home).pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: daemon.find(home) is None)


def waiting_supervisors(home) -> list[int]:
    """The pids of the supervisors of a service that have no version yet."""
    found = {process.pid: _command(process.pid) for process in descendants(daemon.find(home).pid)}
    return [pid for pid, command in found.items() if b"supervisor.py" in command and b"spec.json" not in command]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def test_a_job_outlives_its_service_and_a_new_one_shows_its_end(session, home, tmp_path):
    gate = shared(home) / "gate"
    put_code(session, tmp_path, GATED.format(gate=str(gate)))
    job = estimator(session).fit(inputs="/bucket/data/")
    until(LocalHome.of(home).job(job.version_id).workers.exists)

    kill_service(home)
    gate.touch()
    until(LocalHome.of(home).job(job.version_id).exit.exists)

    with Session.local(home):
        assert job.wait(show=False).status == 10
        assert "through the gate" in job.get_job_log(f"job-{job.job_name}.0").content


def test_a_restarted_service_follows_and_stops_what_still_runs(session, home, tmp_path):
    put_code(session, tmp_path, GATED.format(gate=str(shared(home) / "never")))
    job = estimator(session).fit(inputs="/bucket/data/")
    until(LocalHome.of(home).job(job.version_id).workers.exists)

    kill_service(home)
    assert job.get_job_info().status == 8  # the session finds the service anew
    job.stop_job_version()

    until(lambda: job.get_job_info().status == 12)


def test_waiting_survives_a_restart_of_the_service(session, home, tmp_path, capsys):
    gate = shared(home) / "gate"
    put_code(session, tmp_path, GATED.format(gate=str(gate)))
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == 8)

    def restart() -> None:
        kill_service(home)
        gate.touch()

    restarting = threading.Timer(0.3, restart)
    restarting.start()
    info = job.wait(timeout=30)
    restarting.join()

    assert info.status == 10
    assert capsys.readouterr().out.count("through the gate") == 1


def test_a_killed_supervisor_loses_the_version_and_ends_its_workers(session, home, tmp_path):
    put_code(session, tmp_path, GATED.format(gate=str(shared(home) / "never")))
    job = estimator(session, log_url="/bucket/log/").fit(inputs="/bucket/data/", job_name="lost")
    paths = LocalHome.of(home).job(job.version_id)
    worker = until(lambda: read_json(paths.workers))[0]["pid"]

    os.kill(int(paths.alive.read_text()), signal.SIGKILL)

    with pytest.raises(JobLost, match="was killed; its workers were ended"):
        job.wait(show=False)
    assert job.get_job_info().status == 14
    log = f"obs://bucket/log/{job.get_job_info().resource_id}-job-lost-0.log"
    session.obs.download_file(log, tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_text().endswith("Training end with return code: 137\n")
    until(lambda: not _runs(worker))


def test_a_supervisor_killed_while_no_service_runs_is_noticed_by_the_next(session, home, tmp_path):
    put_code(session, tmp_path, GATED.format(gate=str(shared(home) / "never")))
    job = estimator(session).fit(inputs="/bucket/data/")
    paths = LocalHome.of(home).job(job.version_id)
    worker = until(lambda: read_json(paths.workers))[0]["pid"]

    kill_service(home)
    os.kill(int(paths.alive.read_text()), signal.SIGKILL)

    until(lambda: job.get_job_info().status == 14)
    until(lambda: not _runs(worker))


def test_more_versions_than_capacity_wait_and_then_run_in_order(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, GATED.format(gate=str(gate)))
        jobs = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(3)]
        until(lambda: [int(job.get_job_info().status) for job in jobs] == [8, 7, 7])

        jobs[1].stop_job_version()
        assert jobs[1].get_job_info().status == 12
        gate.touch()

        assert jobs[2].wait(timeout=30, show=False).status == 10


def test_queued_jobs_survive_a_kill(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, GATED.format(gate=str(gate)))
        jobs = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(2)]
        until(lambda: [int(job.get_job_info().status) for job in jobs] == [8, 7])

        kill_service(home)
        gate.touch()

        assert [job.wait(timeout=30, show=False).status for job in jobs] == [10, 10]


def test_a_version_whose_supervisor_never_began_is_started_by_the_next_service(session, home, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    job = estimator(session).fit(inputs="/bucket/data/", wait=True)
    kill_service(home)
    # The state after a service is killed between marking a version as running and starting its supervisor.
    paths = LocalHome.of(home)
    store = Store(paths.store)
    store.jobs.transition(job.version_id, (10,), 8)
    store.close()
    for name in ("exit.json", "workers.json", "supervisor.json", "supervisor.lock"):
        (paths.job(job.version_id).root / name).unlink()

    assert job.wait(timeout=30, show=False).status == 10


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_next_version_is_supervised_by_a_process_that_waited_for_it(session, home, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    estimator(session).fit(inputs="/bucket/data/", job_name="first", wait=True)
    until(lambda: len(waiting_supervisors(home)) == 1)
    (spare,) = waiting_supervisors(home)

    job = estimator(session).fit(inputs="/bucket/data/", job_name="second", wait=True)

    assert read_json(LocalHome.of(home).job(job.version_id).supervisor)["pid"] == spare


def test_a_version_starts_although_the_process_that_waited_for_it_was_killed(session, home, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    estimator(session).fit(inputs="/bucket/data/", job_name="first", wait=True)
    until(lambda: len(waiting_supervisors(home)) == 1)
    os.kill(*waiting_supervisors(home), signal.SIGKILL)

    assert estimator(session).fit(inputs="/bucket/data/", job_name="second", wait=True).get_job_info().status == 10
