"""Built-in algorithms: training without code."""

from __future__ import annotations

import csv
import random
import re
import sys
from argparse import Namespace
from collections.abc import Iterator

import pytest

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.algorithms import random_forest
from modelarts.errors import JobFailed
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support import outlines
from tests.support.jobs import LIGHT_SKLEARN
from tests.support.processes import end_service


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session on a service that the tests of this module share."""
    home = tmp_path_factory.mktemp("algorithms") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "1")  # more would wait for each other
        patch.setenv("MODELARTS_LOCAL_ENVIRONMENT", "PYTHONPATH")
        patch.setenv("PYTHONPATH", str(LIGHT_SKLEARN))
        with Session.local(home) as opened:
            opened.obs.create_bucket("bucket")
            put_rows(opened, tmp_path_factory.mktemp("rows"))
            yield opened
    end_service(home)


def put_rows(session, tmp_path) -> None:
    """Upload `obs://bucket/rows/rows.csv`, whose label (0, 1 or 2) follows from one of the two other columns."""
    values = random.Random(0)
    (tmp_path / "rows").mkdir()
    with (tmp_path / "rows" / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["colour", "sugar", "label"])
        for _ in range(200):
            sugar = values.random()
            writer.writerow([values.random(), sugar, round(2 * sugar)])
    session.obs.upload_dir(tmp_path / "rows", "obs://bucket/")


def built_in(session, model_name: str, **hyperparameters) -> Estimator:
    return Estimator(
        session, model_name=model_name, output_path="/bucket/output/", train_instance_type="local",
        train_instance_count=1, hyperparameters=hyperparameters,
    )  # fmt: skip


def test_a_classifier_trains_and_reports_its_metrics(session, tmp_path):
    job = built_in(session, "RandomForestClassifier", n_estimators=10).fit(inputs="/bucket/rows/", wait=True)

    metrics = job.get_job_info().model_metric_list
    total = metrics["total_metric"]["total_metric_values"]
    assert set(total) == {"f1_score", "recall", "precision", "accuracy"}
    assert 0.9 < total["accuracy"] <= 1
    assert [row["metric_meta"]["class_name"] for row in metrics["metric"]] == ["0", "1", "2"]
    session.obs.download_file("obs://bucket/output/model/model.pkl", tmp_path / "model.pkl")
    model = outlines.of((tmp_path / "model.pkl").read_bytes())
    assert model.name == "RandomForestClassifier"
    assert [tree.name for tree in model.attributes["estimators_"]] == ["DecisionTreeClassifier"] * 10


def test_a_regressor_trains_on_one_file(session):
    job = built_in(session, "RandomForestRegressor", n_estimators=50).fit(inputs="/bucket/rows/rows.csv", wait=True)

    assert job.get_job_info().model_metric_list["total_metric"]["total_metric_values"]["r2_score"] > 0.9


# What is written to obs://bucket/bad/, the hyperparameters, and the last line of the log.
REFUSED = [
    ("wine.csv", None, {"label_column": "colour"}, "wine.csv, line 1: no column is named 'colour'; they are a, b"),
    ("wine.csv", None, {"n_estimators": "many"}, "argument --n_estimators: invalid int value: 'many'"),
    ("wine.csv", None, {"n_estimators": 0}, "argument --n_estimators: 0 must be 1 or more"),
    ("wine.csv", None, {"depth": 3}, "unrecognized arguments: --depth=3"),
    ("WINE.CSV", "a,b,label\n1,2,酒\n".encode("gbk"), {}, "WINE.CSV, line 2: byte 0xbe is not UTF-8; the file"),
    ("wine.csv", "a,b,label\n1,2,x\n", {}, "1 row in all files: test_size=0.2 leaves none for training; add rows"),
    ("wine.csv", "a,b,label\n" + "1,2,x\n" * 9, {}, "all 9 rows have the label 'x': a classifier needs two or more"),
    ("wine.txt", None, {}, "the input folder has no .csv file, but wine.txt: pass a folder with .csv files, or one fi"),
]
IN_JOBS = [3, 4]  # an argument, and a file


def put_bad(folder, name, content) -> None:
    folder.mkdir()
    text = "a,b,label\n1,2,x\n3,4,y\n" if content is None else content
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(("name", "content", "hyperparameters", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_is_the_last_line(tmp_path, local, monkeypatch, capsys, name, content, hyperparameters, message):
    """In this process, with the buckets as a job has them."""
    buckets = LocalBuckets(tmp_path / "buckets")
    buckets.create_bucket("bucket")
    put_bad(tmp_path / "bad", name, content)
    buckets.upload_dir(tmp_path / "bad", "obs://bucket/")
    given = {"task": "classification", "data_url": "s3://bucket/bad/", "train_url": "s3://bucket/output/"}
    arguments = [f"--{name}={value}" for name, value in {**given, **hyperparameters}.items()]
    monkeypatch.setattr(sys, "argv", ["random_forest.py", *arguments])
    monkeypatch.setattr(random_forest, "Session", lambda: Namespace(obs=buckets))

    with pytest.raises(SystemExit) as ended:
        random_forest.main()

    said = ended.value.code if isinstance(ended.value.code, str) else capsys.readouterr().err
    assert ended.value.code not in (0, None)
    assert message in said.splitlines()[-1]


def test_what_is_wrong_is_the_last_line_of_the_log_of_a_job(session, tmp_path):
    jobs = []
    for number in IN_JOBS:
        name, content, hyperparameters, _ = REFUSED[number]
        put_bad(tmp_path / f"bad{number}", name, content)
        session.obs.upload_dir(tmp_path / f"bad{number}", "obs://bucket/")
        trained = built_in(session, "RandomForestClassifier", **hyperparameters)
        jobs.append(trained.fit(inputs=f"/bucket/bad{number}", job_name=f"j{number}"))

    for job, number in zip(jobs, IN_JOBS):
        message = REFUSED[number][-1]
        with pytest.raises(JobFailed, match=re.escape(message)):
            job.wait(show=False)
        log = job.get_job_log(f"job-{job.job_name}.0").content
        assert message in log.splitlines()[-2]
        assert "Traceback" not in log


def test_the_list_has_their_parameters(session):
    models = {model.model_name: model for model in Estimator.get_built_in_algorithms(session).models}

    assert [row.label for row in models["RandomForestClassifier"].parameter][:2] == ["label_column", "n_estimators"]
    assert "script" not in models["RandomForestClassifier"]
