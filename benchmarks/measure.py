"""Ways to measure: a subject and its yardstick take turns, so that both see the same machine."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

# Linux hands a parent's ru_maxrss down to its children; the kernel's own high-water mark starts anew.
_PRINT_PEAK = """
import sys
if sys.platform == "linux":
    with open("/proc/self/status") as status:
        print(*(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")))
else:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))
"""

KEEPS_PEAKS = Path("/proc/self/clear_refs").exists()  # whether a process's high-water mark can begin anew


def alternate(
    rounds: int, subject: Callable[[], float], yardstick: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """The samples of both. Each goes first in every other round; the first round is for warming up."""
    samples: list[float] = []
    base: list[float] = []
    turns = [(subject, samples), (yardstick, base)]
    for _ in range(rounds + 1):
        for measure, kept in turns:
            kept.append(measure())
        turns.reverse()
    return samples[1:], base[1:]


def milliseconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - began) * 1e3


def python(statement: str) -> None:
    """Run a statement in a fresh interpreter."""
    subprocess.run([sys.executable, "-c", statement], check=True)


def python_ms(statement: str) -> Callable[[], float]:
    """Wall time of a fresh interpreter that runs a statement, from start to end."""
    return lambda: milliseconds(python, statement)


def peak_mib(statement: str) -> float:
    """Most memory that a fresh interpreter held at once while it ran a statement."""
    command = [sys.executable, "-c", f"{statement}\n{_PRINT_PEAK}"]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def resident_mib(pid: int) -> float:
    """Memory that a process holds now."""
    if not KEEPS_PEAKS:
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)])) / 1024
    return _mib(pid, "VmRSS")


def growth_of(pid: int) -> Callable[[], float]:
    """How many MiB the peak of a process's memory is above what it held at this call; 0 without `KEEPS_PEAKS`."""
    if not KEEPS_PEAKS:
        return lambda: 0.0
    before = resident_mib(pid)
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return lambda: _mib(pid, "VmHWM") - before


def _mib(pid: int, measure: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(measure)).split()[1]) / 1024
