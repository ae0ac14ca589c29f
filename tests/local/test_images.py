"""Custom images: in containers of an engine, or on this machine itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelarts.cli.doctor import doctor
from modelarts.errors import ArgumentError, InvalidArgument, JobFailed, JobLost, JobStopped
from modelarts.estimator import Estimator
from modelarts.local.paths import LocalHome
from modelarts.local.runtime.images import RUN_TRAIN
from modelarts.session import Session
from tests.support import container_engine
from tests.support.jobs import logs, put_code, until
from tests.support.processes import end_service

MARK = "[Modelarts Service Log]"
IMAGE = "swr.example/training/cpu:1.0"


@pytest.fixture
def engines(tmp_path, monkeypatch):
    """A folder for container engines, in front of PATH; those of the machine do not answer."""
    folder = tmp_path / "engines"
    folder.mkdir()
    container_engine.install(folder, "docker", answers=False)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def session(engines, home):
    with Session.local(home) as opened:
        opened.obs.create_bucket("bucket")
        yield opened


@pytest.fixture(scope="module")
def shared_session(tmp_path_factory):
    """A session for tests that start no job."""
    home = tmp_path_factory.mktemp("shared")
    with Session.local(home) as opened:
        opened.obs.create_bucket("bucket")
        yield opened
    end_service(home)


def image_job(session, command: str, **changes) -> Estimator:
    arguments = {
        "user_image_url": IMAGE, "user_command": command, "code_dir": "/bucket/src/", "output_path": "/bucket/output/",
        "train_instance_type": "modelarts.vm.cpu.2u", "train_instance_count": 1, "hyperparameters": {"lr": 0.1},
    }  # fmt: skip
    return Estimator(session, **{**arguments, **changes})


def ended(job):
    with pytest.raises(JobFailed) as caught:
        job.wait(show=False)
    return caught.value


@pytest.mark.parametrize(("engine", "verb", "nodes"), [("podman", "run", 2), ("apptainer", "exec", 1)])
def test_a_command_runs_in_a_container_where_an_engine_answers(session, engines, tmp_path, engine, verb, nodes):
    container_engine.install(engines, engine, images=(IMAGE,))
    put_code(session, tmp_path, """
        import os, sys
        print(sys.argv[1:], os.getcwd(), os.environ["lr"], sorted({"VIRTUAL_ENV", "SHELL"} & set(os.environ)))
        import moxing as mox
        print("data", mox.file.list_directory(os.environ["DLS_DATA_URL"]))
        sys.exit(5)
    """)
    command = "bash /home/work/run_train.sh python /home/work/user-job-dir/src/train.py --data_url=/cache"

    job = image_job(session, command, train_instance_count=nodes).fit(inputs="/bucket/data/")
    error = ended(job)

    assert error.exit_code == 5
    found = logs(job)
    for log in found:
        assert f"{MARK}[local] image {IMAGE} runs in a container of {engine}\n" in log
        assert f"{MARK}command: {command}\n" in log
    assert "/user-job-dir 0.1 []\n" in "".join(found)
    assert "\ndata ['rows.csv']\n" in "".join(found)
    runs = [call for call in container_engine.calls(engines) if call[0] == verb and call[-1] == command]
    assert len(runs) == len(found) == nodes
    assert not any("0.1" in argument for call in runs for argument in call)  # values are not for `ps`
    if engine == "podman":
        assert all(f"--user={os.getuid()}:{os.getgid()}" in call and "--env=lr" in call for call in runs)


def test_stopping_and_losing_a_version_remove_its_container(short_grace, session, engines, tmp_path, home):
    container_engine.install(engines, images=(IMAGE,))
    put_code(session, tmp_path, "pass")
    estimator = image_job(session, "trap '' TERM; echo up; while :; do sleep 1; done")

    stopped = estimator.fit(inputs="/bucket/data/", job_name="stopped")
    until(lambda: "\nup\n" in logs(stopped)[0])
    pid = container_engine.pid(engines)
    stopped.stop_job_version()
    with pytest.raises(JobStopped):
        stopped.wait(show=False)
    until(lambda: not Path(f"/proc/{pid}").exists())

    lost = estimator.fit(inputs="/bucket/data/", job_name="lost")
    until(lambda: "\nup\n" in logs(lost)[0])
    pid = container_engine.pid(engines)
    os.kill(int(LocalHome.of(home).job(lost.version_id).alive.read_text()), signal.SIGKILL)
    with pytest.raises(JobLost):
        lost.wait(show=False)
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_without_an_image_or_an_engine_the_command_runs_here(session, engines, tmp_path):
    put_code(session, tmp_path, "import sys; print('ran', sys.argv[1:])")
    command = 'if true; then\r\n  echo "lr is $lr"\r\nfi\r\n'

    job = image_job(session, command).fit(inputs="/bucket/data/", wait=True)

    (log,) = logs(job)
    note = "none of docker, podman, apptainer answers: the command of the image runs on this machine itself"
    assert f"{MARK}[local] {note}\nlr is 0.1\n{MARK}Training completed.\n" in log


@pytest.mark.parametrize("isolation", ["auto", "off"])
def test_the_documented_commands_work_without_a_container(engines, home, tmp_path, monkeypatch, isolation):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", isolation)
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "import os, sys; print('ran', sys.argv[1:], os.environ['lr']); sys.exit(5)")
        commands = [
            "bash -x /home/work/run_train.sh python /home/work/user-job-dir/src/train.py --steps 3",
            "/bin/bash /home/work/run_train.sh 's3://bucket/src/' 'src/train.py' '/tmp/log/train.log' --'steps'='3'",
            "bash /home/work/run_train.sh s3://bucket/none/ none/train.py /tmp/log/train.log",
            "/home/work/run_train.sh python src/train.py",
        ]
        jobs = [image_job(session, command).fit(inputs="/bucket/data/", job_name=f"j{i}")
                for i, command in enumerate(commands)]  # fmt: skip
        first, second, third, direct = [ended(job) for job in jobs]

        assert (first.exit_code, second.exit_code, third.exit_code, direct.exit_code) == (5, 5, 127, 5)
        assert "\nran ['--steps', '3'] 0.1\n" in logs(jobs[0])[0]
        assert "\nran ['--steps=3'] 0.1\n" in logs(jobs[1])[0]
        assert third.reason.endswith("its last line was: the code directory s3://bucket/none does not exist")


def test_an_image_that_cannot_be_pulled_is_told_with_the_words_of_the_engine(session, engines, tmp_path):
    container_engine.install(engines)
    put_code(session, tmp_path, "pass")

    job = image_job(session, "echo ran").fit(inputs="/bucket/data/", wait=True)

    words = f"docker cannot get image {IMAGE}: Error response from daemon: no such host"
    assert f"{MARK}[local] {words}: the command of the image runs on this machine itself\nran\n" in logs(job)[0]


def test_images_are_refused_without_an_engine_if_the_setting_says_so(engines, home, tmp_path, monkeypatch):
    container_engine.install(engines, answers=None)  # one that hangs does not answer
    monkeypatch.setenv("MODELARTS_LOCAL_IMAGES", "refuse")
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "pass")
        job = image_job(session, "echo ran").fit(inputs="/bucket/data/")
        error = ended(job)

        assert error.exit_code == 1
        assert "none of docker, podman, apptainer answers; local_images=host runs the commands of images" in str(error)
        assert "\nran\n" not in logs(job)[0]
        second = image_job(session, "echo ran").fit(inputs="/bucket/data/", job_name="second")
        ended(second)

    assert [call[0] for call in container_engine.calls(engines)] == ["version"]  # the answer counts for a while


@pytest.mark.parametrize("name", ["PATH", "HOME", "DLS_JOB_ID", "PYTHONPATH", "LD_PRELOAD"])
def test_hyperparameters_of_images_replace_no_variable_of_the_container(shared_session, name):
    estimator = image_job(shared_session, "true", hyperparameters={name: "x"})

    with pytest.raises(ArgumentError, match=f"hyperparameters='{name}': is an environment variable of the container"):
        estimator.payload(inputs="/bucket/data/")

    body = image_job(shared_session, "true").payload(inputs="/bucket/data/", job_name="j")
    body["config"]["parameter"] = [{"label": name, "value": "x"}]
    with pytest.raises(InvalidArgument, match=f"parameter '{name}' is an environment variable"):
        shared_session.client.call("create_training_job", body=body, raise_on_error=True)


def test_doctor_says_where_images_run(engines):
    def row():
        rows = json.loads(CliRunner().invoke(doctor, ["--json"]).output)
        return next(row for row in rows if row["check"] == "custom images")

    assert row() == {
        "check": "custom images", "state": "on this machine itself",
        "advice": "start one of docker, podman, apptainer to run them in containers",
    }  # fmt: skip
    program = container_engine.install(engines, "apptainer")
    assert row() == {"check": "custom images", "state": f"in containers of {program}", "advice": ""}


# --- the start script of images


@pytest.fixture
def work(tmp_path):
    """A `/home/work` with the start script, and code that reports what it gets and ends with 5."""
    shutil.copy(RUN_TRAIN, tmp_path / "run_train.sh")
    code = tmp_path / "user-job-dir" / "code"
    code.mkdir(parents=True)
    script = "import os, sys\nprint(os.getcwd(), sys.argv[1:], os.environ['PYTHONPATH'])\nexit(5)"
    (code / "train.py").write_text(script)
    return tmp_path


def run_train(work, *arguments: str, shell: str = "bash", **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # not a `python` that seeks another
    environment = {"PATH": path, **variables}
    command = [shell, str(work / "run_train.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)


def test_the_start_script_runs_its_arguments_and_returns_their_code(work):
    ended = run_train(work, "python", "code/train.py", "--name=a b", PYTHONPATH="/other")

    inside = work / "user-job-dir"
    assert (ended.returncode, ended.stdout) == (5, f"{inside} ['--name=a b'] {inside}:/other\n")


@pytest.mark.parametrize(
    ("boot_file", "shell"), [("code/train.py", "bash"), ("/code/train.py", "bash"), ("code/train.py", "sh")]
)
def test_the_start_script_takes_its_older_form(work, boot_file, shell):
    log = work / "log" / "train.log"

    older = ("s3://b/dir/code/", boot_file, str(log))
    ended = run_train(work, *older, "--data_url=s3://b/d/", shell=shell, DLS_APP_URL="obs://b/dir/code")

    inside = work / "user-job-dir"
    assert (ended.returncode, ended.stdout) == (5, f"{inside} ['--data_url=s3://b/d/'] {inside}\n")
    assert log.read_text() == ended.stdout


@pytest.mark.parametrize("arguments", [("s3://bucket/none/", "none/train.py", "/tmp/x"), ("python", "train.py")])
def test_the_start_script_returns_127_for_code_that_cannot_be_fetched(work, arguments):
    ended = run_train(work, *arguments, DLS_APP_URL="s3://bucket/none/")

    assert (ended.returncode, ended.stdout) == (127, "")
    assert ended.stderr
