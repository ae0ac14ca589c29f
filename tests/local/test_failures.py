"""Jobs that fail: status, reason, log, and what a waiting user sees."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3

import pytest

from modelarts.errors import JobFailed, JobStopped
from modelarts.estimator import Estimator
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, shared, until
from tests.support.processes import running


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


def ended(session, tmp_path, script: str, capsys, **changes):
    """Train a script that fails: its information, its log, and what was printed."""
    put_code(session, tmp_path, script)
    job = estimator(session, **changes).fit(inputs="/bucket/data/", wait=True)
    info = job.get_job_info()
    return info, job.get_job_log(f"job-{info.job_name}.0").content, capsys.readouterr().out


def test_a_non_zero_exit_code_is_a_failure_with_its_code(session, tmp_path, capsys):
    info, log, shown = ended(session, tmp_path, "import sys; print('about to fail'); sys.exit(7)", capsys)

    assert info.status == 11
    assert info.error_result == "the script ended with exit code 7"
    assert log.endswith("about to fail\n[Modelarts Service Log]Training end with return code: 7\n")
    assert "failed (JOBSTAT_FAILED), exit code 7: the script ended with exit code 7" in shown


def test_waiting_raises_with_the_reason_and_the_last_lines(session, tmp_path):
    put_code(session, tmp_path, "raise RuntimeError('no such layer')")
    job = estimator(session, log_url="/bucket/log/").fit(inputs="/bucket/data/")

    with pytest.raises(JobFailed, match="no such layer") as caught:
        job.wait(show=False)

    assert (caught.value.exit_code, caught.value.status, caught.value.log_path) == (1, 11, "/bucket/log/")


def test_a_script_that_is_killed_ends_as_137(session, tmp_path, capsys):
    info, log, _ = ended(session, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", capsys)

    assert info.status == 11
    assert info.error_result.startswith("the script was killed by SIGKILL")
    assert log.endswith("Training end with return code: 137\n")


def test_bytes_that_are_no_text_do_not_harm(session, tmp_path, capsys):
    script = r"import sys; sys.stdout.buffer.write(b'\xff\xfe caf\xc3\xa9 \x00 end\n')"
    info, log, shown = ended(session, tmp_path, script, capsys)

    assert info.status == 10
    assert "\ufffd\ufffd café \x00 end\n" in log
    assert "café" in shown


@pytest.mark.parametrize(
    ("changes", "inputs", "reason", "code"),
    [
        ({"code_dir": "/bucket/nothing/"}, "/bucket/data/",
         "the code directory obs://bucket/nothing/ does not exist; session.obs.upload_dir uploads code; "
         "a local code_dir is uploaded by itself", 127),
        ({"boot_file": "other.py"}, "/bucket/data/", "the boot file other.py does not exist in the code directory", 2),
        ({}, "/bucket/nowhere/",
         "the input data obs://bucket/nowhere/ do not exist; session.obs.upload_dir uploads data; "
         "local inputs are uploaded by themselves", 1),
    ],
)  # fmt: skip
def test_missing_code_boot_file_and_data_are_named(session, tmp_path, capsys, changes, inputs, reason, code):
    put_code(session, tmp_path, ACCEPT_ANY)

    job = estimator(session, **changes).fit(inputs=inputs, wait=True)

    info = job.get_job_info()
    log = job.get_job_log(f"job-{info.job_name}.0").content
    assert (info.status, info.error_result) == (11, reason)
    assert log.endswith(f"{reason}\n[Modelarts Service Log]Training end with return code: {code}\n")
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize("argument", ["output_path", "log_url"])
def test_a_missing_output_bucket_is_named_and_not_created(session, tmp_path, argument):
    put_code(session, tmp_path, ACCEPT_ANY)

    job = estimator(session, **{argument: "/typo/folder/"}).fit(inputs="/bucket/data/", wait=True)

    told = f"there is no bucket 'typo' for {argument}=obs://typo/folder/; session.obs.create_bucket creates it"
    assert job.get_job_info().error_result == told
    assert not session.obs.is_obs_path_exists("obs://typo/")


def test_a_dataset_that_is_not_registered_is_named(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)

    job = estimator(session).fit(dataset_id="unknown", dataset_version_id="v9", wait=True)

    told = "dataset unknown version v9 is not registered; `modelarts local dataset add unknown v9 FOLDER` registers it"
    assert job.get_job_info().error_result == told


def test_a_version_that_the_service_cannot_make_sense_of_fails_and_holds_up_no_other(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "1")
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, f"""
            import os, time
            while not os.path.exists({str(gate)!r}): time.sleep(0.02)
        """)
        first, odd, last = [estimator(session).fit(inputs="/bucket/data/", job_name=f"j{i}") for i in range(3)]
        with contextlib.closing(sqlite3.connect(LocalHome.of(home).store)) as store, store:
            # An older service may have stored this: a body without its members.
            store.execute("UPDATE versions SET body = '{}' WHERE id = ?", (odd.version_id,))
        gate.touch()

        assert first.wait(timeout=30, show=False).status == 10
        assert last.wait(timeout=30, show=False).status == 10
        row = Estimator.get_job_list(session, search_content="j1").jobs[0]

    assert row.status == 11
    assert "version 2 cannot be started" in LocalHome.of(home).service_log.read_text()


def test_a_built_in_algorithm_that_is_only_documented_fails_to_submit(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    built_in = Estimator(session, model_name="ResNet_v2_50", output_path="/bucket/output/",
                         train_instance_type="local", train_instance_count=1)  # fmt: skip

    job = built_in.fit(inputs="/bucket/data/", wait=True)

    assert job.get_job_info().status == 16
    assert "ResNet_v2_50 is documented, but the local service cannot train it" in job.get_job_info().error_result


def test_stopping_ends_the_script_and_what_it_started(session, tmp_path):
    command = f"sleep 300.{os.getpid()}"
    put_code(session, tmp_path, f"""
        import subprocess, time
        subprocess.Popen({command.split()})
        subprocess.Popen({command.split()}, start_new_session=True)
        time.sleep(300)
    """)
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: len(running(command)) == 2)

    assert job.stop_job_version() == {"is_success": True}
    with pytest.raises(JobStopped, match="stopped by its user"):
        job.wait(show=False)

    assert job.get_job_info().status == 12
    assert running(command) == []


def test_a_script_that_will_not_end_is_ended(session, tmp_path, monkeypatch):
    put_code(session, tmp_path, """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ignoring", flush=True)
        time.sleep(300)
    """)
    job = estimator(session).fit(inputs="/bucket/data/")
    name = f"job-{job.job_name}.0"
    until(lambda: "\nignoring" in job.get_job_log(name).content)

    job.stop_job_version()

    with pytest.raises(JobStopped):
        job.wait(timeout=30, show=False)


def test_what_has_ended_cannot_be_stopped(session, tmp_path, caplog):
    put_code(session, tmp_path, ACCEPT_ANY)
    job = estimator(session).fit(inputs="/bucket/data/", wait=True)

    refused = job.stop_job_version()

    assert (refused.is_success, refused.error_code) == (False, "ModelArts.0105")
    assert refused.error_msg == "This job can't be stop. job status: 10"


def test_one_failing_node_ends_the_others(session, tmp_path):
    put_code(session, tmp_path, """
        import sys, time
        if "--rank=1" in sys.argv: sys.exit(5)
        time.sleep(300)
    """)
    job = estimator(session, train_instance_count=2).fit(inputs="/bucket/data/")

    with pytest.raises(JobFailed, match="worker 1 ended with exit code 5"):
        job.wait(timeout=30, show=False)


@pytest.mark.usefixtures("new_interpreter")
def test_a_full_disk_is_reported_and_does_not_end_the_job(home, tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))  # what the service starts inherits it
    try:
        session = Session.local(home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    with session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "for i in range(15_000): print('x' * 100)")
        job = estimator(session).fit(inputs="/bucket/data/")
        info = job.wait(timeout=60, show=False)

    assert info.status == 10
    assert info.error_result.startswith("the log is incomplete")
    assert "worker-0.log cannot be written: File too large" in info.error_result
