"""Deleting versions and jobs in every state: one that has not ended is stopped first."""

from __future__ import annotations

import os
import signal

import pytest

from modelarts.errors import NotFound
from modelarts.estimator import Estimator
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, shared, until

FOREVER = "import time; time.sleep(300)"


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


def gone(job) -> bool:
    return not job.get_job_info().is_success


def test_an_ended_version_is_deleted_at_once_with_its_files(session, tmp_path, shared_home):
    put_code(session, tmp_path, ACCEPT_ANY)
    job = estimator(session).fit(inputs="/bucket/data/", wait=True)
    folder = LocalHome.of(shared_home).job(job.version_id).root
    assert folder.is_dir()

    assert job.delete_job_version().is_success

    assert gone(job)
    assert not folder.exists()


def test_a_running_version_is_stopped_and_then_deleted(session, tmp_path):
    put_code(session, tmp_path, FOREVER)
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == 8)

    assert job.delete_job_version().is_success

    until(lambda: gone(job))
    assert Estimator.get_job_list(session).jobs[0].version_count == 0


def test_a_queued_version_is_deleted_at_once(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, FOREVER)
        jobs = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(2)]
        until(lambda: jobs[1].get_job_info().status == 7)

        jobs[1].delete_job_version()

        assert gone(jobs[1])
        jobs[0].delete_job()
        until(lambda: gone(jobs[0]))


def test_deleting_twice_while_it_ends_is_no_error(session, tmp_path, shared_home):
    gate = shared(shared_home) / "gate"
    put_code(session, tmp_path, f"""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up", flush=True)
        while not os.path.exists({str(gate)!r}): time.sleep(0.02)
    """)
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: "up" in job.get_job_log(f"job-{job.job_name}.0").content.splitlines())

    assert job.delete_job_version().is_success
    assert job.get_job_info().status == 9
    assert job.delete_job_version().is_success

    gate.touch()
    until(lambda: gone(job))


def test_a_job_is_deleted_with_all_its_versions_and_its_name_is_free(session, tmp_path):
    put_code(session, tmp_path, "import sys, time; time.sleep(300 if '--slow=1' in sys.argv else 0)")
    trained = estimator(session)
    first = trained.fit(inputs="/bucket/data/", job_name="same", wait=True)
    trained.hyperparameters = {"slow": 1}
    second = trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data/")
    until(lambda: second.get_job_info().status == 8)

    assert Estimator.delete_job_by_id(session, first.job_id).is_success

    until(lambda: Estimator.get_job_list(session).job_total_count == 0)
    trained.hyperparameters = None
    assert trained.fit(inputs="/bucket/data/", job_name="same", wait=True).job_id != first.job_id


def test_deletion_continues_after_a_restart(home, tmp_path):
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, FOREVER)
        job = estimator(session).fit(inputs="/bucket/data/")
        until(lambda: job.get_job_info().status == 8)

        job.delete_job()
        os.kill(daemon.find(home).pid, signal.SIGKILL)
        until(lambda: daemon.find(home) is None)

        until(lambda: Estimator.get_job_list(session).job_total_count == 0)


def test_a_job_whose_last_version_is_deleted_stays_and_can_be_trained_again(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session)
    job = trained.fit(inputs="/bucket/data/", wait=True)
    job.delete_job_version()

    row = Estimator.get_job_list(session).jobs[0]
    assert (row.version_count, row.version_id, int(row.status)) == (0, None, 0)

    again = trained.create_job_version(job.job_id, job.version_id, inputs="/bucket/data/", wait=True)
    info = again.get_job_info()
    assert (info.version_name, info.pre_version_id) == ("V0002", None)


def test_version_names_count_on_after_a_deletion(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session)
    first = trained.fit(inputs="/bucket/data/", wait=True)
    second = trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data/", wait=True)
    second.delete_job_version()

    third = trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data/", wait=True)

    assert third.version_name == "V0003"


def test_a_version_is_created_while_another_runs(session, tmp_path):
    put_code(session, tmp_path, "import sys, time; time.sleep(300 if '--slow=1' in sys.argv else 0)")
    trained = estimator(session, hyperparameters={"slow": 1})
    first = trained.fit(inputs="/bucket/data/")
    until(lambda: first.get_job_info().status == 8)

    trained.hyperparameters = {"slow": 0}
    second = trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data/", wait=True)

    assert (second.get_job_info().status, first.get_job_info().status) == (10, 8)
    first.delete_job()
    until(lambda: gone(first))


def test_a_version_derives_only_from_one_of_its_job(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session)
    one = trained.fit(inputs="/bucket/data/", job_name="one", wait=True)
    other = trained.fit(inputs="/bucket/data/", job_name="other", wait=True)

    with pytest.raises(NotFound, match="named as pre_version_id"):
        trained.create_job_version(one.job_id, other.version_id, inputs="/bucket/data/")


def test_an_estimator_filled_from_a_configuration_trains_at_once(session, tmp_path):
    put_code(session, tmp_path, "import sys; print(sys.argv[1:])")
    made = estimator(session, hyperparameters={"lr": 0.5}, log_url="/bucket/log/")
    made.create_job_configs("saved", config_desc="text", inputs="/bucket/data/")

    filled = Estimator.from_job_configs(session, "saved")
    job = filled.fit(wait=True)

    assert (filled.framework_type, filled.train_instance_type) == ("PyTorch", "modelarts.vm.cpu.2u")
    log = job.get_job_log(f"job-{job.job_name}.0").content
    assert "--data_url=s3://bucket/data/" in log
    assert "--lr=0.5" in log
    with pytest.raises(NotFound):
        Estimator.from_job_configs(session, "unknown")
