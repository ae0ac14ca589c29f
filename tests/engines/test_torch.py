"""Real PyTorch scripts as jobs."""

from __future__ import annotations

import importlib
import io
import re
import zipfile
from pathlib import Path

import pytest

from modelarts.errors import JobFailed
from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import estimator, logs, put_code

DIGITS = examples.FOLDER.parent / "digits"
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

    lines = (line for log in logs(job) for line in log.splitlines() if line.startswith("rank "))
    weights = [line.partition("weights ")[2] for line in lines]
    assert len(weights) == 2
    assert len(set(weights)) == 1  # each node got the gradients of both


@pytest.mark.parametrize("name", ["nodes_init", "nodes_env"])
def test_two_nodes_of_an_example_agree_on_a_loss_that_falls(engine_session: Session, tmp_path: Path, name: str) -> None:
    job = CLOUD_SCRIPTS.run(engine_session, name)

    first, second = (losses(log) for log in logs(job))
    assert len(first) == 4
    assert first == second == sorted(first, reverse=True)
    result = {"nodes_init": "model/iris.pth", "nodes_env": "weights.txt"}[name]
    assert examples.read(engine_session, name, result, tmp_path)


def test_the_job_of_the_demo_runs_on_one_node_and_on_two(engine_session: Session, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DIGITS)
        importlib.import_module("images").write_digits(tmp_path / "digits")
    engine_session.obs.upload_dir(tmp_path / "digits", "obs://bucket/")
    for file in ("train_nodes.py", "images.py"):
        engine_session.obs.upload_file(DIGITS / file, "obs://bucket/digits-code/")
    job = {"code_dir": "/bucket/digits-code/", "boot_file": "train_nodes.py"}

    one, two = (
        estimator(engine_session, **job, train_instance_count=nodes, output_path=f"/bucket/digits-{nodes}/").fit(
            inputs="/bucket/digits/", wait=True
        )
        for nodes in (1, 2)
    )

    (alone,), (first, second) = ([losses(log) for log in logs(each)] for each in (one, two))
    assert len(alone) == len(first) == 6
    assert first == second
    accuracies = [each.get_job_info().model_metric_list["total_metric"]["total_metric_values"]["accuracy"]
                  for each in (one, two)]  # fmt: skip
    assert min(accuracies) > 0.9


def test_a_node_that_fails_is_the_reason_and_the_other_ends_soon(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import os, torch, torch.distributed as dist
        rank = int(os.environ["DLS_TASK_INDEX"])
        first = os.environ["BATCH_CUSTOM0_HOSTS"]
        dist.init_process_group("gloo", init_method=f"tcp://{first}", rank=rank, world_size=2)
        dist.barrier()
        if rank == 1:
            raise ValueError("the loss is not a number")
        dist.all_reduce(torch.ones(1))  # for which the other one is needed
    """)
    job = estimator(engine_session, train_instance_count=2).fit(inputs="/bucket/data/")

    with pytest.raises(JobFailed, match="worker 1 ended with exit code 1: ValueError: the loss is not a number"):
        job.wait(show=False)

    assert "ended because worker 1 failed" in logs(job)[0]


def losses(log: str) -> list[float]:
    return [float(loss) for loss in re.findall(r"^epoch .*loss (\d+\.\d+)", log, re.MULTILINE)]


def test_a_launcher_starts_ranks_with_the_packages_of_the_engine(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import os, sys
        if "RANK" not in os.environ:
            sys.exit(os.system(f"python -m torch.distributed.run --standalone --nproc_per_node=2 {__file__}") >> 8)
        import torch, torch.distributed as dist
        dist.init_process_group("gloo")
        total = torch.ones(1)
        dist.all_reduce(total)
        os.write(1, f"rank {dist.get_rank()} counts {int(total)}\\n".encode())  # at once: the ranks share the output
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
