"""CPU, memory and GPU usage of the processes of a version (`system_metric_list`)."""

from __future__ import annotations

import shutil
import subprocess
import time

import psutil

INTERVAL = 1  # seconds
MOST = 300  # samples kept; beyond it every second one is dropped, and they are taken half as often
GPU_TIMEOUT = 5.0  # seconds for `nvidia-smi`
GPU_PAUSE, GPU_LONGEST_PAUSE = 10.0, 600.0  # seconds until it is called again after it failed; doubled each time


class Usage:
    """Samples of the descendants of processes, each in percent of the whole machine.

    Args:
        pids: the roots of the trees.
        began: when they were started, by `time.monotonic`; now by default.
    """

    def __init__(self, pids: list[int], began: float | None = None) -> None:
        self._pids = pids
        self._before: dict[int, float] = {}
        self._at = time.monotonic() if began is None else began
        self._gpu = Gpu()
        self.interval = INTERVAL
        self.samples: dict[str, list[str]] = {"cpuUsage": [], "memUsage": [], "gpuUtil": [], "gpuMemUsage": []}

    def take(self) -> dict[str, object]:
        """Take one sample; return all of them, in the documented form."""
        cpu, memory = self._processes()
        self._add("cpuUsage", cpu)
        self._add("memUsage", memory)
        if self._gpu.tool:
            gpu, gpu_memory = self._gpu.sample()
            self._add("gpuUtil", gpu)
            self._add("gpuMemUsage", gpu_memory)
        if len(self.samples["cpuUsage"]) > MOST:
            self.samples = {name: values[::2] for name, values in self.samples.items()}
            self.interval *= 2
        return {**self.samples, "interval": self.interval}

    def _add(self, name: str, percent: float) -> None:
        self.samples[name].append(f"{percent:.2f}")

    def _processes(self) -> tuple[float, float]:
        now, seconds, resident = time.monotonic(), {}, 0
        for process in self._tree():
            try:
                times = process.cpu_times()
                seconds[process.pid] = times.user + times.system
                resident += process.memory_info().rss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        used = sum(value - self._before.get(pid, 0.0) for pid, value in seconds.items())
        passed = max(now - self._at, 1e-3)
        self._before, self._at = seconds, now
        cores = psutil.cpu_count() or 1
        return min(100.0, 100 * used / passed / cores), 100 * resident / psutil.virtual_memory().total

    def _tree(self) -> list[psutil.Process]:
        found = []
        for pid in self._pids:
            try:
                found += psutil.Process(pid).children(recursive=True)
            except psutil.NoSuchProcess:
                continue
        return found


class Gpu:
    """Usage of the GPUs, from `nvidia-smi`. While it fails or is too slow, the last values are repeated."""

    def __init__(self) -> None:
        self.tool = shutil.which("nvidia-smi")
        self._last = (0.0, 0.0)
        self._failures = 0
        self._next = 0.0  # when it is called again

    def sample(self) -> tuple[float, float]:
        """Mean usage of all GPUs, and of their memory, in percent."""
        if time.monotonic() >= self._next:
            try:
                self._last = self._query()
            except (OSError, subprocess.SubprocessError, ValueError, ZeroDivisionError):
                self._next = time.monotonic() + min(GPU_LONGEST_PAUSE, GPU_PAUSE * 2**self._failures)
                self._failures += 1
            else:
                self._failures = 0
        return self._last

    def _query(self) -> tuple[float, float]:
        query = "--query-gpu=utilization.gpu,memory.used,memory.total"
        command = [str(self.tool), query, "--format=csv,noheader,nounits"]
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=GPU_TIMEOUT, check=False)
        lines = [line.split(",") for line in ran.stdout.splitlines()]
        rows = [[float(value) for value in values] for values in lines if len(values) == 3]
        return sum(row[0] for row in rows) / len(rows), sum(100 * row[1] / row[2] for row in rows) / len(rows)
