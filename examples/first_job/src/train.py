"""A training script for ModelArts: fits the slope of a line through points by gradient descent."""

import argparse
import json
from pathlib import Path

from modelarts.session import Session

parser = argparse.ArgumentParser()
parser.add_argument("--data_url")
parser.add_argument("--train_url")
parser.add_argument("--init_method")  # the PyTorch engine passes it
parser.add_argument("--lr", type=float)
args = parser.parse_args()

obs = Session().obs  # inside a job, Session() needs no arguments
obs.download_file(args.data_url + "points.csv", "points.csv")
points = [tuple(map(float, line.split(","))) for line in Path("points.csv").read_text().split()]

slope = 0.0
for epoch in range(5):
    slope += args.lr * sum((y - slope * x) * x for x, y in points)
    print(f"epoch {epoch}: slope {slope:.4f}")

Path("model.json").write_text(json.dumps({"slope": round(slope, 4)}))
obs.upload_file("model.json", args.train_url)
