"""Random forests on CSV data, with scikit-learn: a classifier and a regressor.

Runs as a training script; `--task` selects one of the two. The input is a folder of CSV files in UTF-8, or one
file, with one header line; every column except the label is a number.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import pickle
import sys
from pathlib import Path
from typing import Any

from modelarts.algorithms import csv_files
from modelarts.algorithms.csv_text import BadCsv
from modelarts.errors import ObsError
from modelarts.session import Session

CLASSIFICATION, REGRESSION = "classification", "regression"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)  # an abbreviated name is a mistake
    parser.add_argument("--task", choices=[CLASSIFICATION, REGRESSION], required=True)
    parser.add_argument("--data_url", required=True)
    parser.add_argument("--train_url", required=True)
    parser.add_argument("--label_column", default="", help="name of the label column; the last one when empty")
    parser.add_argument("--n_estimators", type=int, default=100)
    parser.add_argument("--max_depth", type=int, default=0, help="0 means no limit")
    parser.add_argument("--test_size", type=float, default=0.2, help="fraction of the rows for testing")
    parser.add_argument("--random_state", type=int, default=0)
    arguments = parser.parse_args()
    check(parser, arguments)
    return arguments


def check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with the usage for values that no forest can be trained with."""
    rules = {
        "data_url": (bool(arguments.data_url), "must not be empty: pass input data, such as inputs=… of fit"),
        "train_url": (bool(arguments.train_url), "must not be empty: pass output_path=… to the estimator"),
        "n_estimators": (arguments.n_estimators >= 1, "must be 1 or more"),
        "max_depth": (arguments.max_depth >= 0, "must be 0 for no limit, or more"),
        "test_size": (0 < arguments.test_size < 1, "must be a fraction between 0 and 1, such as 0.2"),
        "random_state": (0 <= arguments.random_state < 2**32, "must be from 0 to 4294967295"),
    }
    for name, (holds, rule) in rules.items():
        if not holds:
            parser.error(f"argument --{name}: {getattr(arguments, name)!r} {rule}")


def download(url: str) -> Path:
    """Download the input, a folder or one file."""
    name = url.rstrip("/").rpartition("/")[2]
    try:
        Session().obs.download_dir(url, "data")
    except ObsError:
        Session().obs.download_file(url, "data/")
    return Path("data", name)


def divided(data: csv_files.Table, arguments: argparse.Namespace) -> list[Any]:
    """Features and labels for training and for testing."""
    count = len(data.labels)
    test = math.ceil(count * arguments.test_size)
    if not 0 < test < count:
        rule = f"test_size={arguments.test_size} leaves none for training; add rows, or change test_size"
        raise BadCsv(f"{count} row{'s' if count > 1 else ''} in all files: {rule}")
    if arguments.task == CLASSIFICATION and len(set(data.labels)) == 1:
        raise BadCsv(f"all {count} rows have the label {data.labels[0]!r}: a classifier needs two or more; "
                     "is label_column the right column?")  # fmt: skip
    from sklearn.model_selection import train_test_split  # last: its import takes a second

    split: list[Any] = train_test_split(
        data.features, data.labels, test_size=test, random_state=arguments.random_state
    )
    return split


def classification_metrics(truth: list[Any], guesses: Any) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    names = sorted(set(truth))
    each = precision_recall_fscore_support(truth, guesses, labels=names, zero_division=0)
    mean = precision_recall_fscore_support(truth, guesses, average="macro", zero_division=0)
    total = {
        "f1_score": float(mean[2]), "recall": float(mean[1]), "precision": float(mean[0]),
        "accuracy": float(accuracy_score(truth, guesses)),
    }  # fmt: skip
    classes = [
        {
            "metric_values": {"recall": float(each[1][number]), "precision": float(each[0][number])},
            "metric_meta": {"class_id": number, "class_name": name},
            "reserved_data": {},
        }
        for number, name in enumerate(names)
    ]
    return {"metric": classes, "total_metric": _total(total)}


def regression_metrics(truth: list[float], guesses: Any) -> dict[str, Any]:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    values = {
        "mean_absolute_error": float(mean_absolute_error(truth, guesses)),
        "mean_squared_error": float(mean_squared_error(truth, guesses)),
    }
    if len(truth) > 1:  # it compares with their mean
        values["r2_score"] = float(r2_score(truth, guesses))
    return {"metric": [], "total_metric": _total(values)}


def _total(values: dict[str, float]) -> dict[str, Any]:
    return {"total_metric_meta": {}, "total_reserved_data": {}, "total_metric_values": values}


def main() -> None:
    arguments = parse()
    if importlib.util.find_spec("sklearn") is None:
        sys.exit("scikit-learn is not installed in this interpreter: run `pip install scikit-learn`")
    try:
        data = csv_files.read(download(arguments.data_url), arguments.label_column, arguments.task == REGRESSION)
        print(f"{len(data.labels)} rows, {len(data.columns) - 1} features", flush=True)
        train(arguments, *divided(data, arguments))
    except (BadCsv, ObsError) as error:
        sys.exit(str(error))


def train(arguments: argparse.Namespace, features: Any, tests: Any, labels: Any, truth: Any) -> None:
    """Train on features and labels, test the model, and upload it with its metrics."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if arguments.task == CLASSIFICATION else RandomForestRegressor
    model = kind(arguments.n_estimators, max_depth=arguments.max_depth or None, random_state=arguments.random_state)
    model.fit(features, labels)
    measure = classification_metrics if arguments.task == CLASSIFICATION else regression_metrics
    metrics = measure(truth, model.predict(tests))
    print(f"test rows: {metrics['total_metric']['total_metric_values']}", flush=True)
    Path("model").mkdir(exist_ok=True)
    Path("model/model.pkl").write_bytes(pickle.dumps(model))
    Path("metric.json").write_text(json.dumps(metrics), encoding="utf-8")
    buckets = Session().obs
    buckets.upload_dir("model", arguments.train_url)
    buckets.upload_file("metric.json", arguments.train_url)
    print(f"model and metrics are in {arguments.train_url}", flush=True)


if __name__ == "__main__":
    main()
