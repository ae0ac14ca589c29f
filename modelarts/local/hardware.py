"""The hardware of this machine: cores, memory, GPUs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache

import psutil


def memory_gib() -> int:
    """Memory in GiB, rounded."""
    return round(psutil.virtual_memory().total / 2**30)


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...]:
    """The names of the GPUs, from `nvidia-smi`; none where it is missing, fails or does not respond."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(ran.stdout.split("\n")[:-1])


def describe() -> str:
    """The hardware as a phrase."""
    found = f"{len(gpus())} GPU ({gpus()[0]})" if gpus() else "no GPU"
    return f"{os.cpu_count()} CPU cores, {memory_gib()} GiB memory, {found} ({platform.system()} {platform.machine()})"
