"""PyTorch on several nodes, which find each other by environment variables alone, as in custom images."""

import argparse
import os

import moxing as mox
import torch
import torch.distributed as dist
from torch import nn

parser = argparse.ArgumentParser(description="Iris regression on several nodes")
parser.add_argument("--epochs", type=int, default=20)
args, _ = parser.parse_known_args()  # the engine passes more arguments

RANK = int(os.environ["DLS_TASK_INDEX"])
WORLD_SIZE = int(os.environ["DLS_TASK_NUMBER"])
INIT_METHOD = "tcp://" + os.environ["BATCH_CUSTOM0_HOSTS"]  # host and port of the first node
DATA_URL, TRAIN_URL = os.environ["DLS_DATA_URL"], os.environ["DLS_TRAIN_URL"]

torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=INIT_METHOD, rank=RANK, world_size=WORLD_SIZE)
print("rank {} of {} on {}".format(RANK, WORLD_SIZE, os.environ["BATCH_CURRENT_HOST"]))

# Each rank reads every WORLD_SIZE-th line, and averages the gradients by itself.
rows = []
for name in sorted(mox.file.list_directory(DATA_URL)):
    lines = mox.file.read(os.path.join(DATA_URL, name)).splitlines()[1:]
    rows += [[float(value) for value in line.split(",")] for line in lines[RANK::WORLD_SIZE]]
data = torch.tensor(rows)
features, target = data[:, :3], data[:, 3:]

torch.manual_seed(0)  # the same first weights on all ranks
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(1, args.epochs + 1):
    loss = (model(features) - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    for parameter in model.parameters():
        dist.all_reduce(parameter.grad)
        parameter.grad /= WORLD_SIZE
    optimizer.step()
    mean = loss.detach().clone()
    dist.all_reduce(mean)
    if epoch % 10 == 0:
        print("epoch {} loss {:.6f}".format(epoch, mean.item() / WORLD_SIZE))

if RANK == 0:
    with mox.file.File(os.path.join(TRAIN_URL, "weights.txt"), "w") as f:
        f.write(" ".join("{:.6f}".format(value) for value in model.weight.flatten().tolist()))
dist.destroy_process_group()
