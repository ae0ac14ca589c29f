"""`moxing` in buckets that are folders: copies against `cp -r`, and what `shift` costs local paths.

The sizes are those of `benchmarks.buckets`.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import timeit
from collections.abc import Iterator
from pathlib import Path

from benchmarks.buckets import FILES, LARGE, copies, large_files, small_files
from benchmarks.measure import alternate
from benchmarks.table import Row
from modelarts import moxing
from modelarts.moxing.framework.file import _access

CALLS = 10_000
ROUNDS = 9
AIM_OF_LOCAL_CALLS = 1.5


def measure() -> Iterator[Row]:
    yield _local_calls()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(MODELARTS_MODE="local", MODELARTS_HOME=scratch)
        logging.getLogger().setLevel(logging.WARNING)
        bucket = Path(_access.locate("obs://bucket").path or "")
        small = small_files(bucket / "small", FILES)
        yield _copy(Path(scratch), small, f"copy_parallel, {FILES} files")
        shutil.rmtree(small)
        yield _copy(Path(scratch), large_files(bucket / "large", LARGE), f"copy_parallel, {LARGE} MB")


def _copy(home: Path, source: Path, name: str) -> Row:
    there = home / "there"
    return copies(
        home, source, name, lambda: moxing.file.copy_parallel(f"obs://bucket/{source.name}", str(there)), there
    )


def _local_calls() -> Row:
    def call() -> float:
        return min(timeit.repeat(lambda: os.path.exists(__file__), number=CALLS, repeat=1)) * 1e3  # noqa: PTH110

    def shifted() -> float:
        moxing.file.shift("os", "mox")
        try:
            return call()
        finally:
            moxing.file.shift("mox", "os")

    samples, base = alternate(ROUNDS, shifted, call)
    return Row(
        name=f"{CALLS} os.path.exists after shift", unit="ms", samples=samples, aim=AIM_OF_LOCAL_CALLS,
        yardstick="the same before", base=base, note="of a file that exists, in a folder of this machine",
    )  # fmt: skip
