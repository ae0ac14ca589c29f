"""A custom image: the command of the job starts this script, hyperparameters and URLs are environment variables."""

import argparse
import json
import math
import os

import moxing as mox

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=10)
args = parser.parse_args()
rate = float(os.environ["learning_rate"])

mox.file.copy_parallel(os.environ["DLS_DATA_URL"], "/cache/data")
samples = []
for label, name in enumerate(["versicolor", "virginica"]):
    with open("/cache/data/{}.csv".format(name)) as f:
        samples += [([1.0] + [float(value) - 3 for value in line.split(",")], label) for line in f.readlines()[1:]]

weights = [0.0] * 5
for _ in range(args.epochs):
    slopes = [0.0] * 5
    for features, label in samples:
        guess = 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, features))))
        slopes = [slope + (guess - label) * x for slope, x in zip(slopes, features)]
    weights = [w - rate * slope / len(samples) for w, slope in zip(weights, slopes)]
right = sum((sum(w * x for w, x in zip(weights, features)) > 0) == label for features, label in samples)
print("host {}: {} of {} right".format(os.environ["BATCH_CURRENT_HOST"], right, len(samples)))

with open("/cache/weights.json", "w") as f:
    json.dump({"weights": weights, "right": right}, f)
mox.file.copy("/cache/weights.json", os.path.join(os.environ["DLS_TRAIN_URL"], "weights.json"))
