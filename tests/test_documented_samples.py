"""The samples of the Chinese pages on updating a job configuration, and on debugging a training job, run unchanged."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelarts.errors import InvalidArgument
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support import jobs
from tests.support.wheels import wheel

SAMPLES = Path(__file__).with_name("data") / "zh_sdk_modelarts_04_0178"
PRINTED = {  # an editor that strips blanks at line ends would change what the page prints
    "sample1.py": "24f6c4214734f6a34e640c910636c1c9184c429e04c5c1bd880f513426913615",
    "sample2.py": "34bdab6ed346fee34ccdfa78e095c05a9863eb88f9dfcbd797300843e81de6ac",
}
RUN = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1], run_name='__main__')['update_info']))"


def update_info_of(sample: str, home: Path) -> dict[str, Any]:
    """Run a sample in a new process; returns its `update_info`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(SAMPLES / sample)],
        env={**os.environ, "MODELARTS_MODE": "local", "MODELARTS_HOME": str(home)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def stored(session: Session) -> dict[str, Any]:
    return Estimator(session, config_name="my_job_config").get_job_configs_info().raise_on_failure()


@pytest.fixture
def my_job_config(session: Session) -> None:
    """The bucket and the configuration that the page requires."""
    before = jobs.estimator(session, code_dir="/bucket/old/", hyperparameters={"lr": 1})
    before.create_job_configs(config_name="my_job_config", config_desc="before", inputs="/bucket/old data/")


@pytest.mark.parametrize("sample", PRINTED)
def test_the_samples_are_identical_to_those_of_the_page(sample: str) -> None:
    assert hashlib.sha256((SAMPLES / sample).read_bytes()).hexdigest() == PRINTED[sample]


@pytest.mark.usefixtures("my_job_config")
@pytest.mark.parametrize(
    ("sample", "data"),
    [
        ("sample1.py", ("/bucket/dataset/", None, None)),
        ("sample2.py", ("", "4AZNvFkN7KYr5EdhFkH", "UOF9BIeSGArwVt0oI6T")),
    ],
)
def test_a_sample_updates_the_whole_configuration(
    session: Session, home: Path, sample: str, data: tuple[str, str | None, str | None]
) -> None:
    update_info = update_info_of(sample, home)

    assert update_info == {"is_success": True}
    now = stored(session)
    assert (now["data_url"], now["dataset_id"], now["dataset_version_id"]) == data
    assert now["config_desc"] == "update"
    assert (now["app_url"], now["boot_file_url"]) == ("/bucket/src/", "/bucket/src/pytorch_sentiment.py")
    assert (now["log_url"], now["train_url"]) == ("/bucket/log/", "/bucket/output/")
    assert now["parameter"] == [{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}]
    assert (now["spec_code"], now["worker_server_num"]) == ("modelarts.vm.gpu.p100", 1)
    assert (now["engine_name"], now["engine_version"]) == ("PyTorch", "PyTorch-1.0.0-python3.6")


@pytest.mark.parametrize("sample", PRINTED)
def test_update_info_reports_a_missing_configuration_as_documented(
    session: Session, home: Path, sample: str
) -> None:
    update_info = update_info_of(sample, home)

    assert update_info["is_success"] is False
    assert update_info["error_code"] == "ModelArts.0105"
    assert "my_job_config" in update_info["error_msg"]


# --- modelarts_04_0222: debugging a training job

DEBUGGING = [SAMPLES.with_name("zh_sdk_modelarts_04_0222") / name for name in ("sample1.py", "sample2.py")]
NOTEBOOK = "/home/ma-user/work"
PACKAGES = ('"tensorflow==1.13.1", "requests"', '"python=3.6.2"')


@pytest.fixture
def notebook(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a notebook with a script of that name, on a machine with one package and its Python."""
    train = tmp_path / "work" / "tensorflow_mlp_mnist_local_mode" / "train"
    train.mkdir(parents=True)
    (train / "tensorflow_mlp_mnist.py").write_text("import needed, sys\nprint('WITH', needed.VERSION, sys.argv[1:])\n")
    wheel(tmp_path, "needed")
    machine = {"MODELARTS_MODE": "local", "MODELARTS_HOME": str(home), "PIP_FIND_LINKS": str(tmp_path),
               "PIP_NO_INDEX": "1", "PATH": "/usr/bin:/bin", "MODELARTS_LOCAL_CONDA": "none"}  # fmt: skip
    for name, value in machine.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "work"


def debug(sample: Path, notebook: Path, *packages: str) -> Any:
    """Run a sample in that folder, as it is or with other packages; returns its `job_instance`."""
    text = sample.read_text(encoding="utf-8")
    for printed, instead in zip((NOTEBOOK, *PACKAGES), (str(notebook), *packages)):
        assert printed in text
        text = text.replace(printed, instead)
    names: dict[str, Any] = {}
    exec(compile(text, sample, "exec"), names)
    return names["job_instance"]


def test_both_samples_are_refused_without_the_python_of_the_page(notebook: Path) -> None:
    refusal = r"conda_packages=\['python=3\.6\.2'\] need conda, mamba or micromamba"
    for sample in DEBUGGING:
        with pytest.raises(InvalidArgument, match=refusal):
            debug(sample, notebook)


def test_both_samples_train_with_packages_that_are_there(notebook: Path) -> None:
    python = '"python={}.{}"'.format(*sys.version_info[:2])

    both = [debug(sample, notebook, '"needed"', python) for sample in DEBUGGING]

    infos = [job.wait(timeout=60, show=False) for job in both]
    assert [info.status for info in infos] == [10, 10]
    assert [info.spec_code for info in infos] == ["local", "modelarts.vm.cpu.2u"]
    assert ["WITH 1.0 ['--data_url=', '--train_url=']" in jobs.logs(job)[0] for job in both] == [True, True]
    assert [job.job_name for job in both] == ["my_training_job", "my_training_job"]
    assert [job.version_name for job in both] == ["V0001", "V0002"]
