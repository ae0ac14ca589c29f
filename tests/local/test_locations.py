"""Files and folders as data and results: what a script gets does not depend on a slash at the end."""

from __future__ import annotations

from typing import Any

import pytest

from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code

LOOK = """
import argparse, os
import moxing as mox  # sooner imported than a session
parser = argparse.ArgumentParser()
for name in ("data_url", "train_url", "init_method"):
    parser.add_argument(f"--{name}")
arguments = parser.parse_args()
found = mox.file.exists(arguments.train_url)
print("SEEN", arguments.data_url, arguments.train_url, found, os.environ["DLS_TRAIN_URL"] == arguments.train_url)
"""


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share."""
    return shared_session


# What the user wrote for data and results, the URLs of the script, and whether the destination exists at the start.
SEEN = [
    ("/bucket/data/", "/bucket/output/", "data/", "output/", True),
    ("/bucket/data", "/bucket/output", "data/", "output/", True),
    ("/bucket/data/rows.csv", "/bucket/new/result.json", "data/rows.csv", "new/result.json", False),
    ("/bucket/data/rows.csv/", "/bucket/results/old.json/", "data/rows.csv", "results/old.json", True),
    ("obs://bucket/data", "s3://bucket/run.v2", "data/", "run.v2/", True),
    ("/bucket/data", "/bucket/v1.5", "data/", "v1.5/", True),
]


def test_files_stay_files_and_folders_end_with_a_slash(session: Any, tmp_path: Any):
    put_code(session, tmp_path, LOOK)
    (tmp_path / "old.json").write_text("{}")
    session.obs.upload_file(tmp_path / "old.json", "obs://bucket/results/")
    (tmp_path / "run.v2").mkdir()
    (tmp_path / "run.v2" / "a.txt").write_text("a")
    session.obs.upload_dir(tmp_path / "run.v2", "obs://bucket/")

    jobs = [
        estimator(session, output_path=results).fit(inputs=data, job_name=f"j{number}")
        for number, (data, results, *_) in enumerate(SEEN)
    ]

    for job, (data, results, data_key, results_key, exists) in zip(jobs, SEEN):
        job.wait(show=False)
        log = job.get_job_log(f"job-{job.job_name}.0").content
        assert f"SEEN s3://bucket/{data_key} s3://bucket/{results_key} {exists} True\n" in log, (data, results, log)


def test_a_file_of_results_can_be_written_twice(session: Any, tmp_path: Any):
    put_code(session, tmp_path, """
        import sys
        from pathlib import Path
        from modelarts.session import Session
        train_url = next(text[len("--train_url="):] for text in sys.argv if text.startswith("--train_url="))
        Path("result.json").write_text("{}")
        Session().obs.upload_file("result.json", train_url.rpartition("/")[0] + "/")
    """)  # fmt: skip
    trained = estimator(session, output_path="/bucket/deep/er/result.json")

    first = trained.fit(inputs="/bucket/data", wait=True)
    second = trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data", wait=True)

    assert [job.get_job_info().status for job in (first, second)] == [10, 10]
    assert second.get_job_info().train_url == "/bucket/deep/er/result.json"
    session.obs.download_file("obs://bucket/deep/er/result.json", tmp_path / "got.json")
    assert (tmp_path / "got.json").read_text() == "{}"


STORED = {
    "/bucket/out/result.json": "/bucket/out/result.json", "/bucket/out/result": "/bucket/out/result/",
    "obs://bucket/result.CSV": "/bucket/result.CSV", "/bucket": "/bucket/", "/bucket.com": "/bucket.com/",
}  # fmt: skip


def test_a_configuration_keeps_the_path_of_a_file(session: Any, tmp_path: Any):
    put_code(session, tmp_path, ACCEPT_ANY)

    for number, (written, stored) in enumerate(STORED.items()):
        estimator(session, output_path=written, log_url="/bucket/log.d").create_job_configs(f"c{number}")

        saved = Estimator.from_job_configs(session, f"c{number}")
        assert (saved.output_path, saved.log_url) == (stored, "/bucket/log.d/")
