"""CPU, memory and GPU usage of a version, in `system_metric_list`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from modelarts.local.places import usage
from modelarts.local.places.usage import MOST, Usage
from tests.support.jobs import estimator, put_code, shared, until

BUSY = """
import os, time
kept = bytearray(100_000_000)
while not os.path.exists({gate!r}):
    sum(range(50_000))
    time.sleep(0.002)  # a core less for the other tests
"""


def test_samples_are_those_of_the_running_script(shared_session, shared_home, tmp_path):
    gate = shared(shared_home) / "gate"
    put_code(shared_session, tmp_path, BUSY.format(gate=str(gate)))
    job = estimator(shared_session).fit(inputs="/bucket/data/")

    def is_seen() -> bool:
        used = job.get_job_info().system_metric_list
        busy = 100 / (os.cpu_count() or 1) / 20  # a twentieth of one core, on a machine with other work
        return len(used["cpuUsage"]) >= 2 and max(map(float, used["cpuUsage"])) > busy

    until(is_seen, 60)
    gate.touch()
    used = job.wait(show=False).system_metric_list

    assert max(map(float, used["memUsage"])) > 100 * 100_000_000 / psutil.virtual_memory().total
    assert len(used["cpuUsage"]) == len(used["memUsage"])
    assert job.get_job_version_info().versions[0].system_metric_list == used


def test_long_runs_keep_a_bounded_number_of_samples(monkeypatch):
    monkeypatch.setattr("modelarts.local.places.usage.MOST", MOST // 10)
    usage = Usage([os.getpid()])

    for _ in range(MOST // 5):
        usage.take()

    assert len(usage.samples["cpuUsage"]) <= MOST // 10
    assert usage.interval > 1


# --- GPUs, by a stand-in for NVIDIA's tool


@pytest.fixture
def nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the commands that `nvidia-smi` runs."""
    commands = tmp_path / "commands"
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho called >> '{tmp_path}/calls'\n. '{commands}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(usage, "GPU_TIMEOUT", 0.5)
    return commands


def calls_of(nvidia: Path) -> int:
    return (nvidia.parent / "calls").read_text().count("called")


WORKS = "echo '40, 1000, 4000'; echo '60, 3000, 4000'\n"


@pytest.mark.parametrize(
    "commands", ["exec sleep 60\n", "exit 9\n", "echo '[N/A], [N/A], [N/A]'\n", "echo '1, 1, 0'\n"],
    ids=["too slow", "no output", "no numbers", "no memory"],
)  # fmt: skip
def test_sampling_continues_with_the_last_values_while_nvidia_smi_fails(nvidia, commands):
    sampled = Usage([os.getpid()])
    nvidia.write_text(WORKS)
    sampled.take()
    nvidia.write_text(commands)

    for _ in range(3):
        sampled.take()

    assert sampled.samples["gpuUtil"] == ["50.00"] * 4
    assert sampled.samples["gpuMemUsage"] == ["50.00"] * 4
    assert len(sampled.samples["cpuUsage"]) == 4
    assert calls_of(nvidia) == 2  # it is not called for every sample while it fails


def test_nvidia_smi_is_called_again_after_growing_pauses(nvidia, monkeypatch):
    monkeypatch.setattr(usage, "GPU_PAUSE", 0.2)
    sampled = Usage([os.getpid()])
    nvidia.write_text("exit 9\n")
    sampled.take()
    time.sleep(0.25)
    sampled.take()  # fails again: the next pause is of 0.4 s
    time.sleep(0.25)
    nvidia.write_text(WORKS)
    sampled.take()
    assert calls_of(nvidia) == 2

    time.sleep(0.25)
    sampled.take()

    assert sampled.samples["gpuUtil"] == ["0.00", "0.00", "0.00", "50.00"]

