"""Real MindSpore scripts as jobs."""

from __future__ import annotations

import re
from pathlib import Path

from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import estimator, logs, put_code

ASCEND = {
    "framework_type": "Ascend-Powered-Engine",
    "framework_version": "mindspore_1.3.0-cann_5.0.2-py_3.7-euler_2.8.3-aarch64",
    "train_instance_type": "local",
}


def test_a_model_is_trained_and_its_checkpoint_is_saved(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import argparse, os
        import moxing as mox
        import numpy as np
        import mindspore as ms
        from mindspore import nn, Tensor

        parser = argparse.ArgumentParser()
        parser.add_argument("--data_url")
        parser.add_argument("--train_url")
        args = parser.parse_args()
        ms.set_device("CPU")
        mox.file.copy_parallel(args.data_url, "/cache/data")
        features = Tensor(np.loadtxt("/cache/data/rows.csv", delimiter=",", ndmin=2).astype(np.float32))
        network = nn.Dense(2, 1)
        optimizer = nn.SGD(network.trainable_params(), 0.01)
        step = ms.value_and_grad(lambda data: (network(data) - 1).square().mean(), None, optimizer.parameters)
        losses = []
        for _ in range(5):
            loss, gradients = step(features)
            optimizer(gradients)
            losses.append(float(loss))
        print("device", os.environ["DEVICE_ID"], "learns", losses[-1] < losses[0])
        ms.save_checkpoint(network, "/cache/network.ckpt")
        mox.file.copy("/cache/network.ckpt", os.path.join(args.train_url, "network.ckpt"))
    """)

    job = estimator(engine_session, output_path="/bucket/mindspore/", **ASCEND).fit(inputs="/bucket/data/", wait=True)

    assert "device 0 learns True\n" in examples.log_of(job)
    engine_session.obs.download_file("obs://bucket/mindspore/network.ckpt", tmp_path)
    assert (tmp_path / "network.ckpt").stat().st_size > 0


def test_two_nodes_train_data_parallel_and_agree_on_the_loss(engine_session: Session, tmp_path: Path) -> None:
    put_code(engine_session, tmp_path, """
        import os
        import numpy as np
        import mindspore as ms
        from mindspore import Parameter, Tensor, nn, ops
        from mindspore.communication import get_group_size, get_rank, init

        ms.set_device("CPU")
        init()
        rank, size = get_rank(), get_group_size()
        assert (rank, size) == (int(os.environ["RANK_ID"]), int(os.environ["RANK_SIZE"]))
        ms.set_seed(1)
        total = ops.AllReduce()
        network = nn.Dense(2, 1, weight_init="ones")
        optimizer = nn.SGD(network.trainable_params(), 0.05)
        features = np.random.RandomState(0).rand(8, 2).astype(np.float32)[rank::size]
        features = Tensor(features)
        step = ms.value_and_grad(lambda data: (network(data) - 1).square().mean(), None, optimizer.parameters)
        for epoch in range(3):
            loss, gradients = step(features)
            optimizer(tuple(total(gradient) / size for gradient in gradients))
            print("rank", rank, "epoch", epoch, "loss", "%.6f" % float(total(loss) / size), flush=True)
    """)

    job = estimator(engine_session, train_instance_count=2, **ASCEND).fit(inputs="/bucket/data/", wait=True)

    first, second = ([float(line.split()[-1]) for line in re.findall("rank . epoch .*", log)] for log in logs(job))
    assert len(first) == 3
    assert first == second == sorted(first, reverse=True)
