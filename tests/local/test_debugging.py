"""`train_instance_type="local"`: jobs on this machine with local paths, whatever the session is (modelarts_04_0222)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts.environment import Environment
from modelarts.environment.conda_env import CondaDependencies
from modelarts.errors import ArgumentError, NameTaken
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.cloud import cloud_session
from tests.support.jobs import logs, until
from tests.support.processes import end_service

SCRIPT = """\
import argparse, os
parser = argparse.ArgumentParser()
for name in ("data_url", "train_url"):
    parser.add_argument("--" + name)
given = parser.parse_args()
print("GIVEN", given.data_url or None, given.train_url or None, flush=True)
if given.train_url:
    import moxing as mox
    mox.file.copy(os.path.join(given.data_url, "rows.csv"), os.path.join(given.train_url, "model.txt"))
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `MODELARTS_HOME` of the service of this machine."""
    folder = tmp_path_factory.mktemp("debugging") / "state"
    yield folder
    end_service(folder)


@pytest.fixture
def cloud(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session in the cloud, which no test here reaches."""
    monkeypatch.setenv("MODELARTS_HOME", str(state))
    with cloud_session() as session:
        yield session


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with code and data."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.py").write_text(SCRIPT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("1,2\n")
    return tmp_path


def debugging(session: Session, work: Path, **changes: Any) -> Estimator:
    arguments = {"code_dir": f"{work}/train/", "boot_file": "a.py", "train_instance_type": "local", **changes}
    return Estimator(modelarts_session=session, train_instance_count=1, **arguments)


def test_a_job_of_a_cloud_session_runs_on_this_machine_as_documented(cloud: Session, work: Path) -> None:
    environment = Environment("debug")
    environment.conda = CondaDependencies.create(conda_packages=["python={}.{}".format(*sys.version_info[:2])])
    estimator = debugging(cloud, work, environment=environment)

    job = estimator.fit(wait=False, job_name="my_training_job")

    assert job.wait(timeout=60, show=False).status == 10
    assert estimator.get_job_info().job_name == "my_training_job"
    assert "GIVEN None None" in logs(estimator)[0]
    listed = [row.job_name for row in Estimator.iter_jobs(Session.local())]
    assert "my_training_job" in listed


FORMS: dict[str, Callable[[Path], Any]] = {
    "text": str, "relative": lambda path: path.name, "Path": Path, "file": lambda path: f"file://{path}",
}  # fmt: skip


@pytest.mark.parametrize("forms", ["text relative Path", "file text relative", "relative file file"])
def test_local_data_and_results_are_used_where_they_are(
    cloud: Session, work: Path, forms: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    data, output, written = (FORMS[form](work / name) for form, name in zip(forms.split(), ("data", "out", "logs")))
    estimator = debugging(cloud, work, code_dir="train", output_path=output, log_url=written)

    info = estimator.fit(inputs=data).wait(timeout=60, show=False)

    assert info.status == 10
    assert (work / "out" / "model.txt").read_text() == "1,2\n"
    (log,) = (work / "logs").iterdir()
    assert f"GIVEN {work}/data/ {work}/out/" in log.read_text()
    assert (info.data_url, info.train_url) == (f"file://{work}/data/", f"file://{work}/out/")


def test_results_in_the_folder_of_the_code_are_no_part_of_the_code(cloud: Session, work: Path) -> None:
    """Otherwise each job would copy the results of those before it."""
    estimator = debugging(cloud, work, output_path=work / "train" / "out")

    infos = [estimator.fit(inputs=work / "data").wait(timeout=60, show=False) for _ in range(2)]

    assert [info.status for info in infos] == [10, 10]
    assert (work / "train" / "out" / "model.txt").exists()
    assert infos[0].app_url == infos[1].app_url


def test_a_local_job_can_be_stopped_and_gets_another_version(cloud: Session, work: Path) -> None:
    (work / "train" / "wait.py").write_text("import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    estimator = debugging(cloud, work, boot_file="wait.py")
    job = estimator.fit()
    until(lambda: "waiting" in logs(job)[0])

    estimator.stop_job_version().raise_on_failure()
    until(lambda: estimator.get_job_info().status == 12)
    estimator.boot_file = "a.py"
    assert job.job_id is not None and job.version_id is not None
    version = estimator.create_job_version(job.job_id, job.version_id)

    assert version.wait(timeout=60, show=False).status == 10
    assert [row.version_name for row in estimator.get_job_version_object_list(is_show=False)] == ["V0002", "V0001"]


def test_a_name_is_used_again_while_a_script_is_debugged(cloud: Session, work: Path) -> None:
    local, page = Session.local(), {"framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6"}
    first = debugging(cloud, work).fit(job_name="debugged")
    second = debugging(cloud, work).fit(job_name="debugged")
    third = debugging(local, work, environment=Environment("bare"), train_instance_type="modelarts.vm.cpu.2u").fit(
        job_name="debugged"
    )
    other = debugging(local, work, train_instance_type="modelarts.vm.cpu.2u", code_dir=work / "train", **page)
    other.fit(inputs=work / "data", job_name="trained")

    assert first.job_id == second.job_id == third.job_id
    assert [job.version_name for job in (first, second, third)] == ["V0001", "V0002", "V0003"]
    with pytest.raises(NameTaken):
        debugging(cloud, work).fit(job_name="trained")
    assert [job.wait(timeout=60, show=False).status for job in (first, second, third)] == [10, 10, 10]


def test_buckets_of_this_machine_can_be_used_too(cloud: Session, work: Path) -> None:
    local = Session.local()
    local.obs.create_bucket("bucket")
    local.obs.upload_dir(work / "data", "obs://bucket/")

    info = debugging(cloud, work, output_path="/bucket/out/").fit(inputs="obs://bucket/data/").wait(show=False)

    assert (info.data_url, info.train_url) == ("/bucket/data/", "/bucket/out/")
    assert local.obs.is_obs_path_exists("obs://bucket/out/model.txt")


def test_a_configuration_with_local_paths_is_used_again(cloud: Session, work: Path) -> None:
    saved = debugging(cloud, work, output_path=work / "again").create_job_configs(inputs=work / "data")

    loaded = Estimator.from_job_configs(Session.local(), str(saved.config_name))

    assert loaded.fit().wait(timeout=60, show=False).status == 10
    assert (work / "again" / "model.txt").exists()


WRONG: list[tuple[dict[str, Any], Any, str]] = [
    ({"code_dir": "/nowhere/train/"}, None, "code_dir='/nowhere/train/': the job runs on this machine, where"),
    ({"boot_file": "b.py"}, None, "boot_file='b.py': there is no such file in"),
    ({}, "/nowhere/data", "inputs='/nowhere/data': the job runs on this machine, where there is no"),
    ({}, Path("nowhere"), "there is no such local path"),
    ({"output_path": "/cloud-bucket/out/"}, None, "output_path='/cloud-bucket/out/': the job runs on this machine"),
    ({"output_path": 3}, None, "output_path=3"),
    ({}, "obs://cloud-bucket/data/", "no such path and no bucket 'cloud-bucket'; pass a local path"),
    ({"train_instance_count": 99}, None, "train_instance_count=99"),
]


@pytest.mark.parametrize(("changes", "inputs", "message"), WRONG, ids=[message[:25] for *_, message in WRONG])
def test_what_is_missing_is_reported_before_there_is_a_job(
    cloud: Session, work: Path, changes: dict[str, Any], inputs: Any, message: str
) -> None:
    estimator = debugging(cloud, work)
    for name, value in changes.items():
        setattr(estimator, name, value)

    with pytest.raises(ArgumentError) as caught:
        estimator.fit(inputs=inputs)

    assert message in str(caught.value)


def test_an_output_folder_that_cannot_be_created_ends_the_job_with_the_reason(cloud: Session, work: Path) -> None:
    (work / "file").touch()

    job = debugging(cloud, work, output_path=work / "file" / "out").fit()

    info = until(lambda: (found := job.get_job_info()).status >= 10 and found)
    assert info.status == 11
    assert "the job's folders cannot be created" in info.error_result and f"{work}/file" in info.error_result
