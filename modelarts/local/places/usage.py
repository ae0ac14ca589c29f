"""What the processes of a version use: CPU, memory, and the GPU where there is one (`system_metric_list`)."""

from __future__ import annotations

import shutil
import subprocess
import time

import psutil

FIRST, INTERVAL = 0.2, 1  # seconds
MOST = 300  # samples kept; more are thinned out and taken half as often


class Usage:
    """Samples of process trees, each in percent of the whole machine."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._before: dict[int, float] = {}
        self._at = time.monotonic()
        self._nvidia = shutil.which("nvidia-smi")
        self.interval = INTERVAL
        self.samples: dict[str, list[str]] = {"cpuUsage": [], "memUsage": [], "gpuUtil": [], "gpuMemUsage": []}

    def take(self) -> dict[str, object]:
        """Take one sample; all of them, as the documents print them."""
        cpu, memory = self._processes()
        self._add("cpuUsage", cpu)
        self._add("memUsage", memory)
        if self._nvidia:
            gpu, gpu_memory = self._gpu()
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
                process = psutil.Process(pid)
                found += [process, *process.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def _gpu(self) -> tuple[float, float]:
        """Mean use of all GPUs, and of their memory."""
        query = "--query-gpu=utilization.gpu,memory.used,memory.total"
        command = [str(self._nvidia), query, "--format=csv,noheader,nounits"]
        answered = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=False)
        rows = [line.split(",") for line in answered.stdout.splitlines() if line.count(",") == 2]
        try:
            numbers = [[float(value) for value in row] for row in rows]
        except ValueError:
            return 0.0, 0.0
        if not numbers:
            return 0.0, 0.0
        return (
            sum(row[0] for row in numbers) / len(numbers),
            sum(100 * row[1] / row[2] for row in numbers) / len(numbers),
        )
