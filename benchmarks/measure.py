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
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)])) / 1024
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
