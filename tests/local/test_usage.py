"""What a version uses of the machine, as `system_metric_list` tells it."""

from __future__ import annotations

import os

from modelarts.local.places.usage import MOST, Usage
from tests.support.jobs import estimator, put_code

BUSY = """
import time
kept = bytearray(200_000_000)
end = time.monotonic() + 1.6
while time.monotonic() < end: pass
"""


def test_samples_are_those_of_the_running_script(session, tmp_path):
    put_code(session, tmp_path, BUSY)

    job = estimator(session).fit(inputs="/bucket/data/", wait=True)

    used = job.get_job_info().system_metric_list
    assert max(map(float, used["cpuUsage"])) > 100 / (os.cpu_count() or 1) / 4
    assert max(map(float, used["memUsage"])) > 0
    assert len(used["cpuUsage"]) == len(used["memUsage"]) >= 2
    listed = job.get_job_version_info().versions[0].system_metric_list
    assert listed == used


def test_long_runs_keep_a_bounded_number_of_samples(monkeypatch):
    monkeypatch.setattr("modelarts.local.places.usage.MOST", MOST // 10)
    usage = Usage([os.getpid()])

    for _ in range(MOST // 5):
        usage.take()

    assert len(usage.samples["cpuUsage"]) <= MOST // 10
    assert usage.interval > 1
