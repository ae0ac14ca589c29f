"""PyTorch on one node: data from OBS to /cache, train, results from /cache to OBS."""

import argparse
import json
import os

import moxing as mox
import torch
from torch import nn

parser = argparse.ArgumentParser(description="Iris classifier")
parser.add_argument("--data_url", type=str, required=True)
parser.add_argument("--train_url", type=str, required=True)
parser.add_argument("--init_method", type=str, default=None)  # the engine passes it
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--lr", type=float, default=0.01)
args = parser.parse_args()

DATA, OUTPUT = "/cache/iris", "/cache/output"
CLASSES = ["setosa", "versicolor", "virginica"]


def load(name):
    with open(os.path.join(DATA, name + ".csv")) as f:
        return [[float(value) for value in line.split(",")] for line in f.readlines()[1:]]


mox.file.copy_parallel(args.data_url, DATA)
rows = [(features, label) for label, name in enumerate(CLASSES) for features in load(name)]
features = torch.tensor([row[0] for row in rows])
labels = torch.tensor([row[1] for row in rows])
features = (features - features.mean(0)) / features.std(0)
held_back = torch.arange(len(rows)) % 5 == 0

torch.manual_seed(0)
torch.set_num_threads(1)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(1, args.epochs + 1):
    loss = nn.functional.cross_entropy(model(features[~held_back].to(device)), labels[~held_back].to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print("epoch {} loss {:.4f}".format(epoch, loss.item()))

with torch.no_grad():
    guesses = model(features[held_back].to(device)).argmax(1).cpu()
accuracy = (guesses == labels[held_back]).float().mean().item()
print("accuracy {:.4f}".format(accuracy))

os.makedirs(os.path.join(OUTPUT, "model"))
torch.save(model.state_dict(), os.path.join(OUTPUT, "model", "iris.pth"))
with open(os.path.join(OUTPUT, "metric.json"), "w") as f:
    json.dump({"total_metric": {"total_metric_meta": {}, "total_reserved_data": {},
                                "total_metric_values": {"accuracy": accuracy}}}, f)
mox.file.copy_parallel(OUTPUT, args.train_url)
