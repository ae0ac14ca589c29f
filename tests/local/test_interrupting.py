"""Ctrl-C stops waiting, not the job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from modelarts.estimator import Estimator
from tests.support.jobs import put_code, until

WAITS = """
from modelarts.session import Session
from modelarts.estimator import Estimator
estimator = Estimator(Session(), framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
    code_dir="/bucket/src/", boot_file="train.py", output_path="/bucket/output/",
    train_instance_type="local", train_instance_count=1)
estimator.fit(inputs="/bucket/data/", job_name="long", wait=True)
"""


def test_ctrl_c_does_not_stop_the_job_and_says_how_to_stop_it(session, home, tmp_path):
    put_code(session, tmp_path, "import time; print('training on', flush=True); time.sleep(300)")
    environment = {**os.environ, "MODELARTS_MODE": "local", "MODELARTS_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    waiting = subprocess.Popen([sys.executable, "-c", WAITS], env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert waiting.stdout is not None
    shown = ""
    while "training on" not in shown:
        shown += waiting.stdout.readline()

    waiting.send_signal(signal.SIGINT)
    rest, failure = waiting.communicate(timeout=20)

    assert "no longer waiting; the job continues. To stop it: Estimator(session, job_id=1, version_id=1)" in rest
    assert "KeyboardInterrupt" in failure
    job = Estimator(session, job_id=1, version_id=1)
    assert job.get_job_info().status == 8
    job.stop_job_version()
    until(lambda: job.get_job_info().status == 12)
