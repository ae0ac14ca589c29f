"""Real PyTorch scripts as jobs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import estimator, put_code

CLOUD_SCRIPTS = examples.load()


def test_a_model_is_trained_and_its_metrics_are_reported(engine_session: Session, tmp_path: Path) -> None:
    job = CLOUD_SCRIPTS.run(engine_session, "torch_iris")

    model = examples.read(engine_session, "torch_iris", "model/iris.pth", tmp_path)
    assert zipfile.is_zipfile(io.BytesIO(model))
    assert job.get_job_info().model_metric_list["total_metric"]["total_metric_values"]["accuracy"] >= 0.8


def test_checkpoints_are_saved_to_obs_and_read_back_after_shift(engine_session: Session, tmp_path: Path) -> None:
    job = CLOUD_SCRIPTS.run(engine_session, "shift_torch")

    assert "read back epoch 3\n" in examples.log_of(job)
    assert examples.read(engine_session, "shift_torch", "checkpoints/epoch_3.pth", tmp_path)


def test_two_nodes_train_together(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import argparse, torch, torch.distributed as dist
        parser = argparse.ArgumentParser()
        for name in ("data_url", "train_url", "init_method"):
            parser.add_argument(f"--{name}")
        parser.add_argument("--rank", type=int)
        parser.add_argument("--world_size", type=int)
        args = parser.parse_args()
        torch.set_num_threads(1)
        dist.init_process_group("gloo", init_method=args.init_method, rank=args.rank, world_size=args.world_size)
        torch.manual_seed(args.rank)
        model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.rand(8, 2)).square().mean().backward()
            optimizer.step()
        print("rank", args.rank, "weights", model.module.weight.tolist())
        dist.destroy_process_group()
    """)

    job = estimator(engine_session, train_instance_count=2).fit(inputs="/bucket/data/", wait=True)

    logs = [job.get_job_log(name).content for name in job.get_job_log_file_list().log_file_list]
    weights = [line.partition("weights ")[2] for log in logs for line in log.splitlines() if line.startswith("rank ")]
    assert len(weights) == 2
    assert len(set(weights)) == 1  # each node got the gradients of both


def test_a_launcher_starts_ranks_with_the_packages_of_the_engine(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import os, sys
        if "RANK" not in os.environ:
            sys.exit(os.system(f"python -m torch.distributed.run --standalone --nproc_per_node=2 {__file__}") >> 8)
        import torch, torch.distributed as dist
        dist.init_process_group("gloo")
        total = torch.ones(1)
        dist.all_reduce(total)
        print(f"rank {dist.get_rank()} counts {int(total)}")
        dist.destroy_process_group()
    """)

    job = estimator(engine_session).fit(inputs="/bucket/data/", wait=True)

    log = examples.log_of(job)
    assert {"rank 0 counts 2", "rank 1 counts 2"} <= set(log.splitlines())


def test_processes_of_a_data_loader_share_memory_and_find_moxing(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import sys
        import moxing as mox
        import torch
        from torch.utils.data import DataLoader, Dataset

        class Rows(Dataset):
            def __init__(self, url):
                self.url = url
            def __len__(self):
                return 4
            def __getitem__(self, index):
                rows = mox.file.read(self.url + "rows.csv").split()
                return torch.tensor([float(value) for value in rows[0].split(",")]) * index

        if __name__ == "__main__":
            url = sys.argv[1].partition("=")[2]
            for method in ("fork", "spawn"):
                loader = DataLoader(Rows(url), batch_size=2, num_workers=2, multiprocessing_context=method)
                print(method, torch.cat(list(loader)).sum(0).tolist())
    """)

    job = estimator(engine_session).fit(inputs="/bucket/data/", wait=True)

    log = examples.log_of(job)
    assert "fork [6.0, 12.0]\n" in log and "spawn [6.0, 12.0]\n" in log
