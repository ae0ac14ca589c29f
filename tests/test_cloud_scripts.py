"""The scripts in examples/cloud_scripts that need no other framework; `make test-engines` runs the others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import LIGHT_SKLEARN
from tests.support.processes import end_service

CLOUD_SCRIPTS = examples.load()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("cloud scripts") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_COMPILE", "1")
        patch.setenv("PIP_NO_WARN_CONFLICTS", "1")
        patch.setenv("MODELARTS_LOCAL_ENVIRONMENT", "PYTHONPATH")
        patch.setenv("PYTHONPATH", str(LIGHT_SKLEARN))
        opened = Session.local(home, strict=True)
    with opened:
        yield opened
    end_service(home)


def test_every_script_is_described_and_tested() -> None:
    readme = (examples.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in
                    (Path(__file__), Path(__file__).parent / "engines" / "test_torch.py"))  # fmt: skip

    for name in CLOUD_SCRIPTS.names():
        assert f"(cloud_scripts/{name})" in readme
        assert f'"{name}"' in tests


def test_the_command_names_the_scripts_that_it_runs() -> None:
    done = subprocess.run(
        [sys.executable, examples.FOLDER / "run.py", "unknown"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert all(name in done.stderr for name in CLOUD_SCRIPTS.names())


@pytest.fixture(scope="module")
def sync_lock_logs(session: Session) -> list[str]:
    """The log of a run with one node, and those of a run with two nodes that comes after it."""
    jobs = [CLOUD_SCRIPTS.run(session, "sync_lock", train_instance_count=nodes) for nodes in (1, 2)]
    return [job.get_job_log(name).content for job in jobs for name in job.get_job_log_file_list().log_file_list]


def test_data_are_copied_again_in_each_run_although_the_first_left_a_flag(
    session: Session, sync_lock_logs: list[str], tmp_path: Path
) -> None:
    for log, rank in zip(sync_lock_logs, ("0 of 1", "0 of 2")):
        assert "copy s3://cloud-scripts/data/iris/ to /cache/data\n" in log
        assert f"rank {rank}: 29 of 30 right\n" in log
    assert json.loads(examples.read(session, "sync_lock", "result.json", tmp_path)) == {"right": 29, "of": 30}


def test_each_node_copies_for_itself(sync_lock_logs: list[str]) -> None:
    assert len(sync_lock_logs) == 3
    for log in sync_lock_logs:
        assert "copy s3://cloud-scripts/data/iris/ to /cache/data\n" in log


def test_urls_and_keys_come_from_the_environment(session: Session, tmp_path: Path) -> None:
    job = CLOUD_SCRIPTS.run(session, "env_only")

    assert "accuracy 0.9" in examples.log_of(job)
    assert b"DecisionTreeClassifier" in examples.read(session, "env_only", "model/tree.pkl", tmp_path)


def test_a_data_set_is_prepared_in_a_bucket(session: Session, tmp_path: Path) -> None:
    jobs = [CLOUD_SCRIPTS.run(session, "prepare") for _ in range(2)]  # again over its own results

    counts = examples.read(session, "prepare", "counts.txt", tmp_path).decode()
    assert "train/setosa.csv 40\ntest/setosa.csv 10\n" in counts
    assert len(examples.read(session, "prepare", "train/setosa.csv", tmp_path).splitlines()) == 41
    assert not session.obs.is_obs_path_exists("obs://cloud-scripts/output/prepare/work/")
    assert all(counts in examples.log_of(job) for job in jobs)


def test_the_command_of_an_image_runs_with_its_parameters_in_the_environment(session: Session, tmp_path: Path) -> None:
    job = CLOUD_SCRIPTS.run(session, "custom_image")

    assert "of 100 right\n" in examples.log_of(job)
    assert json.loads(examples.read(session, "custom_image", "weights.json", tmp_path))["right"] > 90


@pytest.mark.parametrize("nodes", [1, 2])
def test_ranks_in_sessions_of_their_own_find_each_other(session: Session, tmp_path: Path, nodes: int) -> None:
    job = CLOUD_SCRIPTS.run(session, "launcher", train_instance_count=nodes)

    logs = [job.get_job_log(name).content for name in job.get_job_log_file_list().log_file_list]
    slope = float(examples.read(session, "launcher", "slope.txt", tmp_path))
    assert 0.3 < slope < 0.4
    for rank in range(nodes * 3):
        assert f"rank {rank} of {nodes * 3}: " in logs[rank // 3]
        assert f"slope {slope:.4f}" in logs[rank // 3]


def test_children_use_what_pip_requirements_install(session: Session, tmp_path: Path) -> None:
    job = CLOUD_SCRIPTS.run(session, "requirements")

    report = examples.read(session, "requirements", "report.txt", tmp_path).decode()
    assert "setosa.csv" in report and "-----" in report
    assert report in examples.log_of(job)
