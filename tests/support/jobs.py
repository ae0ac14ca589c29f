"""Code, data and estimators for tests on the local service."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable

from modelarts.estimator import Estimator
from modelarts.session import Session
from modelarts.visualization import VisualizationJob

ACCEPT_ANY = "import sys\n"  # a script that takes whatever arguments it gets
LIGHT_TENSORBOARD = Path(__file__).with_name("light_tensorboard")  # in PYTHONPATH: TensorBoards that only answer
LIGHT_SKLEARN = Path(__file__).with_name("light_sklearn")  # in PYTHONPATH: without pandas and more


def shared(home: Path) -> Path:
    """A folder that tests and jobs see under the same path; a job has its own `/tmp`."""
    return home / "local" / "buckets"


def put_code(session: Session, tmp_path: Path, script: str, name: str = "train.py") -> None:
    """Upload a script as `obs://bucket/src/<name>`, and `obs://bucket/data/` with one file."""
    source = tmp_path / "src"
    source.mkdir(exist_ok=True)
    (source / name).write_text(dedent(script), encoding="utf-8")
    session.obs.upload_dir(source, "obs://bucket/")
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    (data / "rows.csv").write_text("1,2\n", encoding="utf-8")
    session.obs.upload_dir(data, "obs://bucket/")


def estimator(session: Session, **changes: Any) -> Estimator:
    """An estimator with the code that `put_code` uploads."""
    arguments: dict[str, Any] = {
        "framework_type": "PyTorch",
        "framework_version": "PyTorch-1.0.0-python3.6",
        "code_dir": "/bucket/src/",
        "boot_file": "train.py",
        "output_path": "/bucket/output/",
        "train_instance_type": "modelarts.vm.cpu.2u",
        "train_instance_count": 1,
    }
    return Estimator(session, **{**arguments, **changes})


def logs(job: Any) -> list[str]:
    """The log of each worker of a job."""
    return [job.get_job_log(log_file=name).content for name in job.get_job_log_file_list().log_file_list]


def clear(session: Session, home: Path) -> None:
    """Delete all jobs, configurations, TensorBoards and buckets of a service, and end what is running."""
    for job in Estimator.iter_jobs(session):
        Estimator.delete_job_by_id(session, job.job_id)
    for config in Estimator.iter_job_configs(session):
        session.client.call("delete_training_job_config", {"config_name": config.config_name})
    for row in VisualizationJob.iter_visualization_jobs(session):
        VisualizationJob(session, row.job_id).delete_visualization_job()
    until(lambda: not [*VisualizationJob.iter_visualization_jobs(session)])
    until(lambda: not [*Estimator.iter_jobs(session)])
    for entry in shared(home).iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until a condition is true, and return its value; fail after `seconds`.

    A condition that takes long, such as a request, is tried less often: the service has work to do meanwhile.
    """
    deadline = time.monotonic() + seconds
    while True:
        started = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        assert now < deadline, "the condition did not hold in time"
        time.sleep(min(max(0.01, 4 * (now - started)), 0.1))
