"""The service and the supervisors may be killed at any moment."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from modelarts.errors import JobLost, JobTimeout
from modelarts.local import daemon, service_start
from modelarts.local.paths import LocalHome, read_json
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
    until(lambda: (found := daemon.find(home)) is None or found.pid != pid)  # a client may have started the next one


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


def test_waiting_survives_restarts_that_fail(session, home, tmp_path, monkeypatch, capsys):
    gate, spawn, killed = shared(home) / "gate", service_start.spawn, []
    put_code(session, tmp_path, GATED.format(gate=str(gate)))
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == 8)

    def spawn_and_kill(*arguments: Any, **options: Any) -> Any:
        service = spawn(*arguments, **options)
        if len(killed) < 2:
            service.process.signal(signal.SIGKILL)
            killed.append(service)
        else:
            gate.touch()
        return service

    monkeypatch.setattr(service_start, "spawn", spawn_and_kill)
    kill_service(home)

    assert job.wait(timeout=30).status == 10
    assert len(killed) == 2
    assert "the service is unreachable, the job continues: the local service did not start" in capsys.readouterr().out


def test_a_service_outlives_a_process_that_is_killed_while_it_starts_it(home):
    paths = LocalHome.of(home)
    paths.root.mkdir(parents=True)
    read_fd, write_fd = os.pipe()
    os.close(read_fd)  # nobody is there any more to hear that it is ready
    service_start.spawn([str(home), str(write_fd)], write_fd, paths, dict(os.environ))
    os.close(write_fd)

    found = until(lambda: daemon.find(home))

    with Session.local(home) as session:
        assert session.client.call("list_job_engines").is_success
    assert daemon.find(home).pid == found.pid


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


def test_more_versions_than_capacity_wait_and_then_run_in_order(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, GATED.format(gate=str(gate)))
        jobs = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(3)]
        until(lambda: [int(job.get_job_info().status) for job in jobs] == [8, 7, 7])
        why = "1 of at most 1 workers are running (setting local_capacity)"
        assert [(job.get_job_info()["queue_position"], job.get_job_info()["waiting_reason"]) for job in jobs[1:]] == [
            (1, why), (2, why)
        ]  # fmt: skip
        with pytest.raises(JobTimeout):
            jobs[2].wait(timeout=0.3)
        assert f"JOBSTAT_WAITING\nplace 2 in the queue: {why}\n" in capsys.readouterr().out

        jobs[1].stop_job_version()
        assert jobs[1].get_job_info().status == 12
        assert jobs[2].get_job_info()["queue_position"] == 1
        gate.touch()

        ended = jobs[2].wait(timeout=30, show=False)
        assert (ended.status, "queue_position" in ended) == (10, False)


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


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_supervisors_are_forked_from_one_process_and_outlive_it(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "3")
    gate, paths = shared(home) / "gate", LocalHome.of(home)
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, GATED.format(gate=str(gate)))
        jobs = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(2)]
        supervisors = [until(lambda job=job: read_json(paths.job(job.version_id).supervisor))["pid"] for job in jobs]
        (server,) = {_parent(pid) for pid in supervisors}
        until(lambda: all(paths.job(job.version_id).workers.exists() for job in jobs))

        os.kill(server, signal.SIGKILL)
        jobs.append(estimator(session).fit(inputs="/bucket/data/", job_name="j2"))
        gate.touch()

        assert [job.wait(timeout=30, show=False).status for job in jobs] == [10, 10, 10]
