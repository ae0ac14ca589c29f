"""A training script for ModelArts: trains a small neural network on handwritten digits."""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from pathlib import Path, PurePosixPath

from images import read_digits
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.neural_network import MLPClassifier

from modelarts.session import Session


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_url", required=True, help="OBS folder with train/ and held-back/")
    parser.add_argument("--train_url", required=True, help="OBS folder for the model and the metrics")
    parser.add_argument("--init_method", help="address of the first PyTorch node; not used with a single node")
    parser.add_argument("--learning_rate", type=float, default=0.001)
    parser.add_argument("--hidden_units", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=10)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    session = Session()  # in a local job, the local service; elsewhere, credentials from the environment
    with tempfile.TemporaryDirectory() as scratch:
        session.obs.download_dir(args.data_url, scratch)
        data = Path(scratch, PurePosixPath(args.data_url).name)  # download_dir keeps the name of the folder
        images, labels = read_digits(data / "train")
        unseen, truth = read_digits(data / "held-back")
    print(f"{len(images)} images for training, {len(unseen)} held back")

    model = MLPClassifier(
        hidden_layer_sizes=(args.hidden_units,), learning_rate_init=args.learning_rate, batch_size=32, random_state=0
    )
    for epoch in range(1, args.epochs + 1):
        model.partial_fit(images, labels, classes=range(10))
        accuracy = accuracy_score(truth, model.predict(unseen))
        print(f"epoch {epoch:2}/{args.epochs}  loss {model.loss_:.4f}  held-back accuracy {accuracy:.4f}")

    guesses = model.predict(unseen)
    precision, recall, f1_score, _ = precision_recall_fscore_support(truth, guesses, average="macro", zero_division=0)
    values = {
        "f1_score": f1_score, "recall": recall, "precision": precision, "accuracy": accuracy_score(truth, guesses),
    }  # fmt: skip
    # The format of ModelArts: get_job_info() returns it as model_metric_list.
    metric = {"total_metric": {"total_metric_meta": {}, "total_reserved_data": {}, "total_metric_values": values}}

    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch)
        (results / "metric.json").write_text(json.dumps(metric), encoding="utf-8")
        (results / "model").mkdir()
        (results / "model" / "digits.pkl").write_bytes(pickle.dumps(model))
        session.obs.upload_dir(results / "model", args.train_url)
        session.obs.upload_file(results / "metric.json", args.train_url)


if __name__ == "__main__":
    main()
