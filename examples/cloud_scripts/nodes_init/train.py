"""PyTorch on several nodes: they find each other by --init_method, --rank and --world_size."""

import argparse
import os

import moxing as mox
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

parser = argparse.ArgumentParser(description="Iris classifier on several nodes")
parser.add_argument("--data_url", type=str, required=True)
parser.add_argument("--train_url", type=str, required=True)
parser.add_argument("--init_method", type=str, default="tcp://127.0.0.1:29500")
parser.add_argument("--rank", type=int, default=0)  # of the node; passed only if there are several
parser.add_argument("--world_size", type=int, default=1)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--lr", type=float, default=0.01)
args = parser.parse_args()

DATA = "/cache/iris"  # each node has its own
CLASSES = ["setosa", "versicolor", "virginica"]


def load(name):
    with open(os.path.join(DATA, name + ".csv")) as f:
        return [[float(value) for value in line.split(",")] for line in f.readlines()[1:]]


mox.file.copy_parallel(args.data_url, DATA)
rows = [(features, label) for label, name in enumerate(CLASSES) for features in load(name)]
features = torch.tensor([row[0] for row in rows])
features = (features - features.mean(0)) / features.std(0)
dataset = TensorDataset(features, torch.tensor([row[1] for row in rows]))

torch.manual_seed(0)
torch.set_num_threads(1)
backend = "nccl" if torch.cuda.is_available() else "gloo"
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
dist.init_process_group(backend, init_method=args.init_method, rank=args.rank, world_size=args.world_size)
sampler = DistributedSampler(dataset)  # each rank trains on its part
loader = DataLoader(dataset, batch_size=15, sampler=sampler)
model = DistributedDataParallel(nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)).to(device))
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(1, args.epochs + 1):
    sampler.set_epoch(epoch)
    total = torch.zeros(1, device=device)
    for batch, labels in loader:
        loss = nn.functional.cross_entropy(model(batch.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()  # averages the gradients of all ranks
        optimizer.step()
        total += loss.detach()
    dist.all_reduce(total)
    if epoch % 10 == 0:
        print("epoch {} loss {:.6f}".format(epoch, total.item() / args.world_size / len(loader)))

if args.rank == 0:
    mox.file.make_dirs(os.path.join(args.train_url, "model"))
    torch.save(model.module.state_dict(), "/cache/iris.pth")
    mox.file.copy("/cache/iris.pth", os.path.join(args.train_url, "model", "iris.pth"))
dist.barrier()
dist.destroy_process_group()
