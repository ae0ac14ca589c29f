"""Random forests on CSV data, with scikit-learn: a classifier and a regressor.

Runs as a training script; `--task` selects one of the two. The input folder holds CSV files with one header line;
every column except the label is a number.
"""

from __future__ import annotations

import argparse
import csv
import json
import pickle
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
    return parser.parse_args()


def download(url: str) -> Path:
    """Download the input, a folder or one file."""
    name = url.rstrip("/").rpartition("/")[2]
    try:
        Session().obs.download_dir(url, "data")
    except ObsError:
        Session().obs.download_file(url, "data/")
    return Path("data", name)


def read(folder: Path, label_column: str, task: str) -> tuple[list[str], list[list[float]], list[Any]]:
    """Column names, features and labels of all CSV files in a folder."""
    files = sorted(folder.rglob("*.csv")) if folder.is_dir() else [folder]
    if not files:
        sys.exit("the input folder has no .csv file")
    columns: list[str] = []
    features: list[list[float]] = []
    labels: list[Any] = []
    for file in files:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.reader(lines)
            header = next(rows, [])
            if columns and header != columns:
                sys.exit(f"{file.name}: its columns differ from those of {files[0].name}")
            columns = header
            label = _label_index(header, label_column, file)
            for row in filter(None, rows):
                values = row[:label] + row[label + 1 :]
                try:
                    features.append([float(value) for value in values])
                    labels.append(float(row[label]) if task == REGRESSION else row[label])
                except (ValueError, IndexError) as error:
                    rule = "every column except the label must be a number"
                    sys.exit(f"{file.name}, line {rows.line_num}: {error}; {rule}")
    return columns, features, labels


def _label_index(header: list[str], label_column: str, file: Path) -> int:
    if label_column and label_column not in header:
        sys.exit(f"{file.name} has no column {label_column!r}; it has {', '.join(header)}")
    return header.index(label_column) if label_column else len(header) - 1


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
        "r2_score": float(r2_score(truth, guesses)),
        "mean_absolute_error": float(mean_absolute_error(truth, guesses)),
        "mean_squared_error": float(mean_squared_error(truth, guesses)),
    }
    return {"metric": [], "total_metric": _total(values)}


def _total(values: dict[str, float]) -> dict[str, Any]:
    return {"total_metric_meta": {}, "total_reserved_data": {}, "total_metric_values": values}


def main() -> None:
    arguments = parse()
    if find_spec("sklearn") is None:
        sys.exit("scikit-learn is not installed in this interpreter: run `pip install scikit-learn`")
    buckets = Session().obs
    data = download(arguments.data_url)
    columns, features, labels = read(data, arguments.label_column, arguments.task)
    print(f"{len(labels)} rows, {len(columns) - 1} features", flush=True)
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # a second, which mistakes do not cost
    from sklearn.model_selection import train_test_split

    kind = RandomForestClassifier if arguments.task == CLASSIFICATION else RandomForestRegressor
    model = kind(arguments.n_estimators, max_depth=arguments.max_depth or None, random_state=arguments.random_state)
    split = train_test_split(features, labels, test_size=arguments.test_size, random_state=arguments.random_state)
    model.fit(split[0], split[2])
    measure = classification_metrics if arguments.task == CLASSIFICATION else regression_metrics
    metrics = measure(split[3], model.predict(split[1]))
    print(f"test rows: {metrics['total_metric']['total_metric_values']}", flush=True)
    Path("model").mkdir(exist_ok=True)
    Path("model/model.pkl").write_bytes(pickle.dumps(model))
    Path("metric.json").write_text(json.dumps(metrics), encoding="utf-8")
    buckets.upload_dir("model", arguments.train_url)
    buckets.upload_file("metric.json", arguments.train_url)
    print(f"model and metrics are in {arguments.train_url}", flush=True)


if __name__ == "__main__":
    main()
