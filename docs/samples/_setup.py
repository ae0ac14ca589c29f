"""Creates what the samples need on the local service: buckets with code and data, jobs, configurations and so on.

Objects of an earlier sample are used again or replaced.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelarts.cli.main import cli
from modelarts.errors import JobError
from modelarts.estimator import Estimator, TrainingJob, VisualizationJob
from modelarts.session import Session

BUCKET = Path(__file__).with_name("_bucket")
MA_USER = Path(os.environ.get("MODELARTS_HOME") or "~/.modelarts").expanduser() / "samples" / "home" / "ma-user"

NOTEBOOK_SCRIPT = "import tensorflow\n\nprint(tensorflow.__version__)\n"

INIT, RUNNING, KILLING, COMPLETED = 1, 8, 9, 10
ENDED = (COMPLETED, 11, 12)


def show(results: list[Any]) -> None:
    """Print the result of each sample."""
    for number, result in enumerate(results, 1):
        print(f"sample {number}: {result}")  # noqa: T201


class Setup:
    """A session on the local service, and the objects that samples need.

    Attributes:
        home: a folder that stands for `/home/` of a notebook, with two files in `ma-user/`.
    """

    def __init__(self) -> None:
        self.session = Session()
        self._running: list[TrainingJob] = []
        self._boards: list[VisualizationJob] = []
        for bucket in ("bucket", "bucket-name"):
            self.session.obs.create_bucket(bucket)
        for folder in ("src", "data"):
            self.session.obs.upload_dir(BUCKET / folder, "obs://bucket/")
        MA_USER.mkdir(parents=True, exist_ok=True)
        (MA_USER / "file1.txt").write_text("first\n", encoding="utf-8")
        (MA_USER / "file2.txt").write_text("second\n", encoding="utf-8")
        self.home = str(MA_USER.parent)

    def close(self) -> None:
        """Stop the jobs and TensorBoards that were started here and are still running."""
        for job in self._running:
            if job.get_job_info().status == RUNNING:
                job.stop_job_version()
        for board in self._boards:
            self._stop(board)
        self._running, self._boards = [], []

    def register_dataset(self, dataset_id: str, dataset_version_id: str) -> None:
        """Register the training data as a dataset, as `modelarts local dataset add` does."""
        command = ["local", "dataset", "add", dataset_id, dataset_version_id, "obs://bucket/data/train/"]
        with contextlib.redirect_stdout(io.StringIO()):
            cli.main(command, standalone_mode=False)

    def notebook_code(self) -> Path:
        """A local folder with a training script, as on a notebook."""
        folder = MA_USER / "work" / "tensorflow_mlp_mnist_local_mode" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tensorflow_mlp_mnist.py").write_text(NOTEBOOK_SCRIPT, encoding="utf-8")
        return folder

    # --- jobs and versions

    def trained_job(self) -> TrainingJob:
        """A completed job with the log file `job-job-0713-191758.0`, as in the documentation."""
        name = "job-0713-191758"
        row = self._job_row(name)
        if row is not None and row.status == COMPLETED:
            return self.versions_of(TrainingJob(self.session, row.job_id))[0]
        return self.new_job(name)

    def new_job(self, name: str) -> TrainingJob:
        """A new, completed job."""
        self.without_job(name)
        job = self._estimator("pytorch_sentiment.py").fit(inputs="/bucket/data/train/", job_name=name)
        job.wait(show=False)
        return job

    def new_version(self, job: TrainingJob) -> TrainingJob:
        """One more completed version of a job."""
        version = self._estimator("pytorch_sentiment.py").create_job_version(
            job_id=job.job_id, pre_version_id=job.version_id, inputs="/bucket/data/train/"
        )
        version.wait(show=False)
        return version

    def running_job(self, name: str) -> TrainingJob:
        """A job that runs until it is stopped."""
        self.without_job(name)
        job = self._estimator("wait.py").fit(inputs="/bucket/data/train/", job_name=name)
        self._running.append(job)
        until(lambda: job.get_job_info().status == RUNNING)
        return job

    def versions_of(self, job: TrainingJob) -> list[TrainingJob]:
        return Estimator(self.session, job_id=job.job_id).get_job_version_object_list(is_show=False)

    def ended(self, job: TrainingJob) -> dict[str, Any]:
        """The details of a version after it has completed or failed."""
        with contextlib.suppress(JobError):
            job.wait(show=False)
        return job.get_job_info()

    def without_job(self, name: str) -> None:
        """Delete the job of that name, if it exists."""
        row = self._job_row(name)
        if row is not None:
            Estimator.delete_job_by_id(self.session, row.job_id).raise_on_failure()
            until(lambda: self._job_row(name) is None)

    def _job_row(self, name: str) -> Any:
        rows = Estimator.iter_jobs(self.session, search_content=name)
        return next((row for row in rows if row.job_name == name), None)

    def _estimator(self, boot_file: str, output_path: str = "/bucket/output/") -> Estimator:
        return Estimator(
            self.session, framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
            code_dir="/bucket/src/", boot_file=boot_file, log_url="/bucket/log/", output_path=output_path,
            hyperparameters={"classes": "10", "lr": "0.001"}, train_instance_type="modelarts.vm.cpu.2u",
            train_instance_count=1, job_description="for a sample",
        )  # fmt: skip

    # --- configurations

    def new_config(self, name: str) -> TrainingJob:
        """A new configuration."""
        self.without_config(name)
        estimator = self._estimator("pytorch_sentiment.py")
        return estimator.create_job_configs(config_name=name, config_desc="for a sample", inputs="/bucket/data/")

    def configs_like(self, name: str) -> list[TrainingJob]:
        return Estimator.get_job_configs_object_list(self.session, search_content=name, is_show=False)

    def without_config(self, name: str) -> None:
        """Delete the configuration of that name, if it exists."""
        for config in self.configs_like(name):
            if config.config_name == name:
                config.delete_job_configs().raise_on_failure()

    # --- visualization jobs

    def visualization(self, name: str = "visualization_job") -> VisualizationJob:
        """A visualization job whose TensorBoard is running."""
        board = self._board(name)
        if board is None:
            self.events()
            board = VisualizationJob(self.session).create_visualization_job(
                train_url="/bucket/train/", job_name=name, job_desc="for a sample"
            )
        elif self._settled(board) in ENDED:
            board.restart_visualization_job().raise_on_failure()
        until(lambda: board.get_visualization_job_info().status == RUNNING)
        self.stop_at_end(board)
        return board

    def stopped_visualization(self, name: str = "visualization_job") -> VisualizationJob:
        """A stopped visualization job."""
        board = self._board(name)
        if board is None or self._settled(board) not in ENDED:
            board = self.visualization(name)
            self._stop(board)
        self.stop_at_end(board)
        return board

    def visualizations_like(self, name: str) -> list[VisualizationJob]:
        return VisualizationJob.get_visualization_job_object_list(self.session, search_content=name, is_show=False)

    def without_visualization(self, name: str) -> None:
        """Delete the visualization job of that name, if it exists."""
        board = self._board(name)
        if board is not None:
            self._settled(board)
            board.delete_visualization_job().raise_on_failure()
            until(lambda: self._board(name) is None)

    def stop_at_end(self, board: VisualizationJob) -> None:
        """Let `close` stop the visualization job."""
        self._boards.append(board)

    def events(self) -> None:
        """Run the job that writes event files to `/bucket/train/`, if it has not run yet."""
        row = self._job_row("events")
        if row is None or row.status != COMPLETED:
            self.without_job("events")
            estimator = self._estimator("write_events.py", output_path="/bucket/train/")
            estimator.fit(inputs="/bucket/data/train/", job_name="events").wait(show=False)

    def _board(self, name: str) -> VisualizationJob | None:
        return next((board for board in self.visualizations_like(name) if board.job_name == name), None)

    def _settled(self, board: VisualizationJob) -> int:
        """The status of a visualization job, once it is neither starting nor stopping."""
        until(lambda: board.get_visualization_job_info().status not in (INIT, KILLING))
        return board.get_visualization_job_info().status

    def _stop(self, board: VisualizationJob) -> None:
        if self._settled(board) not in ENDED:
            board.stop_visualization_job().raise_on_failure()
            self._settled(board)


def ids_of(job: TrainingJob) -> tuple[str, str]:
    """The ids of a job and of its version, as strings, as in the documentation."""
    return str(job.job_id), str(job.version_id)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the local service took too long; see service.log in MODELARTS_HOME/local")
        time.sleep(0.05)
