"""The same job with PyTorch, on one node or on several: each trains on its part of the images."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import moxing as mox
import torch
import torch.distributed as dist
from images import read_digits
from torch import nn
from torch.nn.parallel import DistributedDataParallel

DATA, RESULTS = "/cache/digits", "/cache/results"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_url", required=True, help="OBS folder with train/ and held-back/")
    parser.add_argument("--train_url", required=True, help="OBS folder for the model and the metrics")
    parser.add_argument("--init_method", required=True, help="address of the first node")
    parser.add_argument("--rank", type=int, default=0, help="index of the node, if there are several")
    parser.add_argument("--world_size", type=int, default=1, help="number of nodes, if there are several")
    parser.add_argument("--learning_rate", type=float, default=0.003)
    parser.add_argument("--hidden_units", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=6)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=args.init_method, rank=args.rank, world_size=args.world_size)
    mox.file.copy_parallel(args.data_url, DATA)
    images, labels = tensors(f"{DATA}/train")
    unseen, truth = tensors(f"{DATA}/held-back")
    own = torch.randperm(len(images))[args.rank :: args.world_size]  # the same order on all nodes
    own = own[: len(images) // args.world_size]  # and the same number of steps
    print(f"{len(own)} of {len(images)} images for this node, {len(unseen)} held back")

    layers = nn.Sequential(nn.Linear(64, args.hidden_units), nn.ReLU(), nn.Linear(args.hidden_units, 10))
    model = DistributedDataParallel(layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    for epoch in range(1, args.epochs + 1):
        total = torch.zeros(1)
        for batch in own.split(32):
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()  # averages the gradients of all nodes
            optimizer.step()
            total += loss.detach() * len(batch)
        dist.all_reduce(total)
        with torch.no_grad():
            accuracy = (layers(unseen).argmax(1) == truth).float().mean().item()
        mean = total.item() / (len(own) * args.world_size)
        print(f"epoch {epoch:2}/{args.epochs}  loss {mean:.4f}  held-back accuracy {accuracy:.4f}")

    if args.rank == 0:
        save(layers, accuracy, args.train_url)
    dist.destroy_process_group()


def tensors(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = read_digits(Path(folder))
    return torch.tensor(images, dtype=torch.float32), torch.tensor(labels)


def save(model: nn.Module, accuracy: float, train_url: str) -> None:
    values = {"accuracy": accuracy}
    metric = {"total_metric": {"total_metric_meta": {}, "total_reserved_data": {}, "total_metric_values": values}}
    mox.file.make_dirs(f"{RESULTS}/model")
    torch.save(model.state_dict(), f"{RESULTS}/model/digits.pth")
    mox.file.write(f"{RESULTS}/metric.json", json.dumps(metric))
    mox.file.copy_parallel(RESULTS, train_url)


if __name__ == "__main__":
    main()
