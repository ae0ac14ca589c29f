"""Training on the local service through the SDK: what a script receives, and the results."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelarts.errors import JobError
from modelarts.estimator import JOB_STATE, Estimator
from modelarts.job import TrainingJob
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, shared, until


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


REPORT = """
import json, os, sys
here = {"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path, "file": __file__}
with open("report.json", "w") as report: json.dump(here, report)
"""


def run_report(session, home, tmp_path, **changes) -> dict:
    """What a script sees; it writes it to its working directory, without an import of the SDK, which takes longer."""
    put_code(session, tmp_path, REPORT)
    job = estimator(session, **changes).fit(inputs="/bucket/data/", wait=True)
    assert job.get_job_info().status == 10
    (report,) = LocalHome.of(home).job(job.version_id).root.rglob("report.json")
    return json.loads(report.read_text())


ENGINES = {
    ("PyTorch", "PyTorch-1.0.0-python3.6"): ["data_url", "train_url", "init_method"],
    ("TensorFlow", "TF-1.8.0-python3.6"): ["data_url", "train_url", "num_gpus"],
    ("MXNet", "MXNet-1.2.1-python3.6"): ["data_url", "train_url", "num_gpus"],
    ("Caffe", "Caffe-1.0.0-python2.7"): ["data_url", "train_url", "num_gpus"],
    ("Ascend-Powered-Engine", "TF-1.15-python3.7-aarch64"): ["data_url", "train_url"],
    ("XGBoost-Sklearn", "XGBoost-0.80-Sklearn-0.18.1-python3.6"): ["data_url", "train_url"],
    ("Spark_MLlib", "Spark-2.3.2-python3.6"): ["data_url", "train_url"],
}


def test_each_engine_passes_its_arguments_and_then_the_hyperparameters(session, shared_home, tmp_path):
    for (framework_type, framework_version), expected in ENGINES.items():
        seen = run_report(
            session, shared_home, tmp_path, framework_type=framework_type, framework_version=framework_version,
            hyperparameters={"lr": 0.001, "verbose": None},
        )  # fmt: skip

        names = [argument.partition("=")[0][2:] for argument in seen["argv"]]
        assert names == [*expected, "lr", "verbose"], framework_type
        assert seen["argv"][:2] == ["--data_url=s3://bucket/data/", "--train_url=s3://bucket/output/"], framework_type
        assert seen["argv"][-2:] == ["--lr=0.001", "--verbose="], framework_type
        if "Sklearn" in framework_type:  # which get their URLs without a scheme
            urls = [seen["env"][name] for name in ("DATA_URL", "TRAIN_URL", "APP_URL")]
            assert urls == ["bucket/data/", "bucket/output/", "bucket/src/"]


def test_a_script_runs_in_user_job_dir_beside_its_code_folder(session, shared_home, tmp_path):
    seen = run_report(session, shared_home, tmp_path)

    assert seen["cwd"] == "/home/work/user-job-dir"
    assert seen["file"] == f"{seen['cwd']}/src/train.py"
    assert seen["cwd"] in seen["path"]
    assert seen["env"]["PYTHONUNBUFFERED"] == "1"
    assert seen["env"]["DLS_DATA_URL"] == "s3://bucket/data/"
    assert seen["env"]["BATCH_CUSTOM0_HOSTS"] == seen["env"]["BATCH_CURRENT_HOST"]


def test_credentials_of_the_service_do_not_reach_scripts(session, tmp_path, monkeypatch, home):
    for name in ("HUAWEICLOUD_SDK_SK", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "very secret")
    monkeypatch.setenv("MODELARTS_LOCAL_CAPACITY", "3")
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        seen = run_report(session, home, tmp_path)

    assert "very secret" not in json.dumps(seen)
    assert seen["env"]["MODELARTS_LOCAL_CAPACITY"] == "3"  # a service that the script starts anew has it, too


def test_waiting_shows_the_log_which_is_in_the_bucket_and_each_status_once(session, tmp_path, capsys):
    put_code(session, tmp_path, "for i in range(600): print('line', i)")

    job = estimator(session, log_url="/bucket/log/").fit(inputs="/bucket/data/", job_name="digits", wait=True)

    shown = capsys.readouterr().out
    version = f"version V0001 (version_id {job.version_id})"
    assert shown.startswith(f"job digits (job_id {job.job_id}), {version}, log in /bucket/log/\n")
    assert [f"line {i}" for i in range(600)] == [line for line in shown.splitlines() if line.startswith("line ")]
    assert shown.count("JOBSTAT_RUNNING") <= 1
    assert shown.endswith("[Modelarts Service Log]Training completed.\nJOBSTAT_COMPLETED\n")
    assert isinstance(job, TrainingJob)
    resource_id = job.get_job_info().resource_id
    session.obs.download_file(f"obs://bucket/log/{resource_id}-job-digits-0.log", tmp_path / "log.txt")
    assert "\nline 599\n" in (tmp_path / "log.txt").read_text()


def test_information_has_the_documented_types(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)

    info = estimator(session, hyperparameters=[{"label": "lr", "value": 0.1}]).fit(
        inputs="/bucket/data/", wait=True
    ).get_job_info()

    assert JOB_STATE[info["status"]] == info.status.name == "JOBSTAT_COMPLETED"
    assert info["duration"] / 1000 > 0
    assert int(info["version_name"][1:]) == 1
    assert info["parameter"] == [{"label": "lr", "value": "0.1"}]
    assert info["engine_version"] == "PyTorch-1.0.0-python3.6"
    assert info["spec_code"] == "modelarts.vm.cpu.2u"
    assert info["is_success"] is True


def test_a_new_version_derives_from_the_one_before(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session, hyperparameters={"lr": 1})
    first = trained.fit(inputs="/bucket/data/", wait=True)

    trained.hyperparameters = {"lr": 2}
    version = {"job_id": first.job_id, "pre_version_id": first.version_id, "inputs": "/bucket/data/"}
    second = trained.create_job_version(**version, wait=True, job_desc="two")
    trained.create_job_version(**version).stop_job_version()

    listed = trained.get_job_version_info()
    assert (listed.job_desc, listed.versions.pop(0).version_name) == ("two", "V0003")
    assert [row.version_name for row in listed.versions] == ["V0002", "V0001"]
    assert [row.pre_version_id for row in listed.versions] == [first.version_id, None]
    assert trained.get_job_info().parameter == [{"label": "lr", "value": "2"}]
    assert first.get_job_info().parameter == [{"label": "lr", "value": "1"}]
    assert second.version_id != first.version_id


def test_a_flavor_that_this_machine_lacks_runs_and_reports_its_hardware(session, tmp_path, capsys):
    put_code(session, tmp_path, ACCEPT_ANY)

    job = estimator(session, train_instance_type="modelarts.vm.gpu.p100").fit(inputs="/bucket/data/", wait=True)

    ran_on = job.get_job_info().ran_on
    assert "no GPU" in ran_on
    assert "modelarts.vm.gpu.p100 was requested" in ran_on
    assert ran_on in capsys.readouterr().out


def test_a_local_code_folder_is_uploaded_once(session, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.py").write_text("print('from my folder')")
    put_code(session, tmp_path, ACCEPT_ANY)
    monkeypatch.chdir(tmp_path)

    for _ in range(2):
        estimator(session, code_dir="mine", boot_file="train.py").fit(inputs="/bucket/data/", wait=True)

    shown = capsys.readouterr().out
    assert shown.count("from my folder") == 2
    assert shown.count("uploading mine (1 file, 23 bytes) to obs://modelarts-local-") == 1
    assert shown.count("mine is unchanged, not sent again (1 file, 23 bytes)\n") == 1


def test_an_estimator_waits_for_the_version_that_it_created_or_was_given(session, tmp_path, capsys):
    put_code(session, tmp_path, "print('from the script')")
    made = estimator(session)
    made.fit(inputs="/bucket/data/")

    assert made.wait(timeout=30).status == 10
    assert "from the script" in capsys.readouterr().out
    given = Estimator(session, job_id=str(made.job_id), version_id=str(made.version_id))
    assert given.wait(timeout=30, show=False).status == 10
    assert given.get_job_info().job_name == made.get_job_info().job_name


def test_an_estimator_waits_for_one_version_while_it_creates_another(session, shared_home, tmp_path, capsys):
    gate = shared(shared_home) / "gate"
    put_code(session, tmp_path, f"""
        import os, time
        while not os.path.exists({str(gate)!r}): time.sleep(0.02)
    """)
    first = estimator(session)
    job = first.fit(inputs="/bucket/data/")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(first.wait, timeout=60)
        until(lambda: "JOBSTAT_RUNNING" in capsys.readouterr().out)
        first.create_job_version(job.job_id, job.version_id, inputs="/bucket/data/")
        gate.touch()

        assert waiting.result(60).version_id == job.version_id != first.version_id


def test_an_engine_can_be_mapped_to_another_interpreter(home, tmp_path, monkeypatch):
    other = tmp_path / "other python"
    other.write_text(f'#!/bin/sh\necho "other interpreter"\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(other)}))
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, ACCEPT_ANY)
        job = estimator(session).fit(inputs="/bucket/data/")
        job.wait(show=False)
        log = job.get_job_log(f"job-{job.job_name}.0").content

    assert "other interpreter" in log


def test_a_custom_image_command_runs_with_its_parameters_as_variables(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    custom = Estimator(
        session, user_image_url="100.125.5.235:20202/jobmng/custom-cpu-base:1.0", user_command="echo LR is $lr",
        hyperparameters={"lr": 0.5}, output_path="/bucket/output/", train_instance_type="local", train_instance_count=1,
    )  # fmt: skip

    job = custom.fit(inputs="/bucket/data/", wait=True)

    assert "LR is 0.5" in job.get_job_log(f"job-{job.job_name}.0").content


def test_without_a_version_nothing_runs(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)

    job = estimator(session, create_version=False).fit(inputs="/bucket/data/")

    assert job.version_id is None
    assert estimator(session, job_id=job.job_id).get_job_version_info().version_count == 0


def test_a_script_of_the_documents_runs_with_only_the_mode_set(session, tmp_path, shared_home, monkeypatch):
    put_code(session, tmp_path, ACCEPT_ANY)
    monkeypatch.setenv("MODELARTS_MODE", "local")
    monkeypatch.setenv("MODELARTS_HOME", str(shared_home))
    script = "from modelarts.session import Session; print(Session().host)"

    answered = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answered.stdout.strip() == session.host


def test_strict_sessions_raise_when_a_job_fails(home, tmp_path):
    with Session.local(home, strict=True) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "import sys; sys.exit(3)")
        with pytest.raises(JobError) as caught:
            estimator(session).fit(inputs="/bucket/data/", wait=True)

    assert caught.value.exit_code == 3


def test_engines_flavors_and_algorithms_are_listed(session):
    types = Estimator.get_train_instance_types(session)
    frameworks = Estimator.get_framework_list(session)
    algorithms = Estimator.get_built_in_algorithms(session)

    assert {"modelarts.vm.cpu.2u", "modelarts.vm.gpu.p100", "local"} <= set(types)
    assert {"framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6"} in frameworks
    assert isinstance(algorithms.models[0].parameter, list)


def test_timing_out_leaves_the_job_running(session, tmp_path):
    put_code(session, tmp_path, "import time; print('up'); time.sleep(60)")
    job = estimator(session).fit(inputs="/bucket/data/")

    with pytest.raises(TimeoutError, match="has not ended yet"):
        job.wait(timeout=0.3, show=False)

    assert until(lambda: job.get_job_info().status == 8)
    job.stop_job_version()
