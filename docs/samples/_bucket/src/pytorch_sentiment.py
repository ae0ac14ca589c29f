"""Predict the points of a review from its words: softmax regression in plain Python."""

# ruff: noqa: T201

import argparse
import csv
import json
import math
from pathlib import Path

from modelarts.session import Session

EPOCHS = 30


def rows_of(folder):
    """The reviews of all CSV files: points, counted from 0, and words."""
    for file in sorted(Path(folder).rglob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield int(row["points"]), row["review"].lower().split()


def scores(weights, words):
    """The probability of each number of points."""
    sums = [sum(weight.get(word, 0.0) for word in words) for weight in weights]
    powers = [math.exp(value - max(sums)) for value in sums]
    return [power / sum(powers) for power in powers]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data_url")
    parser.add_argument("--train_url")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--lr", type=float, default=0.001)
    arguments, _ = parser.parse_known_args()

    obs = Session().obs
    obs.download_dir(arguments.data_url, "input/")
    rows = list(rows_of("input"))
    weights = [{} for _ in range(arguments.classes)]
    for epoch in range(1, EPOCHS + 1):
        loss = 0.0
        for points, words in rows:
            likely = scores(weights, words)
            loss -= math.log(likely[points])
            for number, weight in enumerate(weights):
                step = arguments.lr * ((number == points) - likely[number])
                for word in words:
                    weight[word] = weight.get(word, 0.0) + step
        print(f"epoch {epoch} loss {loss / len(rows):.4f}")

    right = 0
    for points, words in rows:
        likely = scores(weights, words)
        right += likely.index(max(likely)) == points
    metric = {"total_metric": {"total_metric_values": {"accuracy": right / len(rows)}}}
    print(f"accuracy {right / len(rows):.4f}")
    Path("model").mkdir()
    Path("model/weights.json").write_text(json.dumps(weights), encoding="utf-8")
    Path("metric.json").write_text(json.dumps(metric), encoding="utf-8")
    obs.upload_dir("model", arguments.train_url)
    obs.upload_file("metric.json", arguments.train_url)


if __name__ == "__main__":
    main()
