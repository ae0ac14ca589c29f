"""Real MindSpore scripts as jobs."""

from __future__ import annotations

from pathlib import Path

from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import estimator, put_code


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
    version = "mindspore_1.3.0-cann_5.0.2-py_3.7-euler_2.8.3-aarch64"
    ascend = {"framework_type": "Ascend-Powered-Engine", "framework_version": version}

    job = estimator(engine_session, output_path="/bucket/mindspore/", **ascend).fit(inputs="/bucket/data/", wait=True)

    assert "device 0 learns True\n" in examples.log_of(job)
    engine_session.obs.download_file("obs://bucket/mindspore/network.ckpt", tmp_path)
    assert (tmp_path / "network.ckpt").stat().st_size > 0
