"""Built-in algorithms: training without code."""

from __future__ import annotations

import csv
import os
import pickle
import random

import pytest

from modelarts.estimator import Estimator
from tests.support.jobs import WITHOUT_PANDAS


@pytest.fixture(autouse=True)
def quick_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service, and so its jobs, take scikit-learn without pandas, whose import takes half as long again."""
    monkeypatch.setenv("PYTHONPATH", str(WITHOUT_PANDAS), prepend=os.pathsep)


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
    put_rows(session, tmp_path)

    job = built_in(session, "RandomForestClassifier", n_estimators=50).fit(inputs="/bucket/rows/", wait=True)

    metrics = job.get_job_info().model_metric_list
    total = metrics["total_metric"]["total_metric_values"]
    assert set(total) == {"f1_score", "recall", "precision", "accuracy"}
    assert 0.9 < total["accuracy"] <= 1
    assert [row["metric_meta"]["class_name"] for row in metrics["metric"]] == ["0", "1", "2"]
    session.obs.download_file("obs://bucket/output/model/model.pkl", tmp_path / "model.pkl")
    model = pickle.loads((tmp_path / "model.pkl").read_bytes())
    assert len(model.estimators_) == 50


def test_a_regressor_trains_on_one_file(session, tmp_path):
    put_rows(session, tmp_path)

    job = built_in(session, "RandomForestRegressor", n_estimators=50).fit(inputs="/bucket/rows/rows.csv", wait=True)

    assert job.get_job_info().model_metric_list["total_metric"]["total_metric_values"]["r2_score"] > 0.9


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"label_column": "scent"}, "rows.csv has no column 'scent'; it has colour, sugar, label"),
        ({"n_estimators": "many"}, "invalid int value: 'many'"),
        ({"depth": 3}, "unrecognized arguments: --depth=3"),
        ({"n_estimator": 7}, "unrecognized arguments: --n_estimator=7"),
    ],
)
def test_wrong_parameters_are_reported_in_the_log(session, tmp_path, hyperparameters, message):
    put_rows(session, tmp_path)

    job = built_in(session, "RandomForestClassifier", **hyperparameters).fit(inputs="/bucket/rows/", wait=True)

    assert job.get_job_info().status == 11
    assert message in job.get_job_log(f"job-{job.job_name}.0").content


def test_a_text_in_a_column_of_numbers_is_reported_with_its_line(session, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "rows.csv").write_text("a,b,label\n1,2,x\n1,two,y\n")
    session.obs.upload_dir(tmp_path / "bad", "obs://bucket/")

    job = built_in(session, "RandomForestClassifier").fit(inputs="/bucket/bad/", wait=True)

    log = job.get_job_log(f"job-{job.job_name}.0").content
    assert "rows.csv, line 3: could not convert string to float: 'two'" in log


def test_the_list_has_their_parameters(session):
    models = {model.model_name: model for model in Estimator.get_built_in_algorithms(session).models}

    assert [row.label for row in models["RandomForestClassifier"].parameter][:2] == ["label_column", "n_estimators"]
    assert "script" not in models["RandomForestClassifier"]
