"""shift first: from then on open, os, glob and torch.save understand s3:// as if it was a disk."""

import moxing as mox

mox.file.shift("os", "mox")

import argparse  # noqa: E402
import glob  # noqa: E402
import os  # noqa: E402

import torch  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--data_url")
parser.add_argument("--train_url")
parser.add_argument("--init_method")
parser.add_argument("--epochs", type=int, default=1)
args = parser.parse_args()

points = []
for name in sorted(glob.glob(os.path.join(args.data_url, "*.csv"))):
    with open(name) as f:
        points += [[float(value) for value in line.split(",")] for line in f.readlines()[1:]]
points = torch.tensor(points)
print("{} points in {}".format(len(points), os.listdir(args.data_url)))

checkpoints = os.path.join(args.train_url, "checkpoints")
os.makedirs(checkpoints, exist_ok=True)
centers = points[[0, 75, 149]]
for epoch in range(1, args.epochs + 1):
    nearest = torch.cdist(points, centers).argmin(1)
    centers = torch.stack([points[nearest == k].mean(0) for k in range(len(centers))])
    torch.save({"epoch": epoch, "centers": centers}, os.path.join(checkpoints, "epoch_{}.pth".format(epoch)))
    print("epoch {} spread {:.3f}".format(epoch, torch.cdist(points, centers).min(1).values.mean().item()))

last = os.path.join(checkpoints, "epoch_{}.pth".format(args.epochs))
assert os.path.exists(last) and os.path.getsize(last) > 0
print("read back epoch", torch.load(last)["epoch"])
