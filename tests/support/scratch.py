"""Temporary folders in memory, where there is plenty of it: tests write a gigabyte, most of it for a moment.

TMPDIR or `--basetemp` puts them elsewhere. The folders of a run that failed stay until the next one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

MEMORY = Path("/dev/shm")
NEEDED = 8 << 30  # bytes that must be available
_PREFIX = "tests-of-modelarts-"


def configure(config: pytest.Config) -> None:
    """Choose the folder, before pytest chooses its own."""
    if hasattr(config, "workerinput") or config.option.basetemp or "TMPDIR" in os.environ or not _has_memory():
        return
    _remove_old()
    scratch = MEMORY / f"{_PREFIX}{os.getpid()}"
    scratch.mkdir(mode=0o711)  # some tests go below it as another user
    config.option.basetemp = str(scratch / "pytest")
    os.environ["TMPDIR"] = str(scratch)
    tempfile.tempdir = None
    config.pluginmanager.register(_Scratch(scratch))


class _Scratch:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passed = False

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._passed = exitstatus == pytest.ExitCode.OK

    def pytest_unconfigure(self) -> None:
        if self._passed:
            shutil.rmtree(self._folder, ignore_errors=True)


def _has_memory() -> bool:
    available = psutil.virtual_memory().available
    return MEMORY.is_dir() and min(available, shutil.disk_usage(MEMORY).free) > NEEDED


def _remove_old() -> None:
    for folder in MEMORY.glob(f"{_PREFIX}*"):
        if not psutil.pid_exists(int(folder.name[len(_PREFIX) :])):
            shutil.rmtree(folder, ignore_errors=True)
