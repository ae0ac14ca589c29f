"""Buckets that are folders of this machine: `session.obs` against `cp -r` and `rm -r`.

`BENCHMARK_BUCKET_FILES` and `BENCHMARK_BUCKET_MB` make less or more of it; three times as many megabytes are needed on
the disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from benchmarks.measure import alternate, milliseconds
from benchmarks.table import Row
from modelarts._obs.local.buckets import LocalBuckets

FILES = int(os.environ.get("BENCHMARK_BUCKET_FILES", "2000"))
SIZE = 1000  # bytes of a small file
FOLDERS = 20
LARGE = int(os.environ.get("BENCHMARK_BUCKET_MB", "1000"))  # MB, in four files
ROUNDS = 3
MEGA = 1_000_000
AIM_OF_COPIES, AIM_OF_DELETION = 1.2, 2
SAME_DISK = "both read from memory what was just written; other writers on the disk slow down either"


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        obs = LocalBuckets(home / "buckets")
        obs.create_bucket("bucket")
        small = small_files(home / "small", FILES)
        yield copies(home, small, f"upload {FILES} files", lambda: obs.upload_dir(small, "obs://bucket/"),
                     obs.root / "bucket" / "small")  # fmt: skip
        obs.upload_dir(small, "obs://bucket/")
        there = home / "there"
        yield copies(home, small, f"download {FILES} files", lambda: obs.download_dir("obs://bucket/small/", there),
                     there)  # fmt: skip
        yield _deletion(home, small, obs)
        obs.delete("obs://bucket/", recursive=True)
        shutil.rmtree(small)
        large = large_files(home / "large", LARGE)
        yield copies(home, large, f"upload {LARGE} MB", lambda: obs.upload_dir(large, "obs://bucket/"),
                     obs.root / "bucket" / "large")  # fmt: skip
        obs.upload_dir(large, "obs://bucket/")
        shutil.rmtree(large)
        yield copies(home, obs.root / "bucket" / "large", f"download {LARGE} MB",
                     lambda: obs.download_dir("obs://bucket/large/", there), there)  # fmt: skip


def small_files(folder: Path, count: int) -> Path:
    """A folder of small files in some folders."""
    for number in range(count):
        file = folder / str(number % FOLDERS) / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(SIZE))
    return folder


def large_files(folder: Path, size: int) -> Path:
    """A folder of four files, in all of `size` MB."""
    folder.mkdir()
    for number in range(4):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(size // 4):
                file.write(os.urandom(MEGA))
    return folder


def copies(home: Path, source: Path, name: str, act: Callable[[], object], made: Path) -> Row:
    """A copy against `cp -r` of the same folder.

    Small files that were made are kept: for some time after many files have been deleted, ext4 takes up to a
    millisecond to create one.
    """
    is_small = source.name == "small"

    def put_away(folder: Path) -> None:
        if is_small:
            folder.rename(tempfile.mkdtemp(dir=home))
        else:
            shutil.rmtree(folder)

    def ours() -> float:
        taken = milliseconds(act)
        count = sum(1 for path in made.rglob("*") if path.is_file())
        put_away(made)
        if count != sum(1 for path in source.rglob("*") if path.is_file()):
            raise RuntimeError("not all files were copied")
        return taken

    def theirs() -> float:
        taken = milliseconds(_run, "cp", "-r", str(source), str(home / "cp"))
        put_away(home / "cp")
        return taken

    samples, base = alternate(3 * ROUNDS if is_small else ROUNDS, ours, theirs)
    return Row(name=name, unit="ms", samples=samples, aim=AIM_OF_COPIES, yardstick="cp -r", base=base, note=SAME_DISK)


def _deletion(home: Path, source: Path, obs: LocalBuckets) -> Row:
    def ours() -> float:
        obs.upload_dir(source, "obs://bucket/deleted/")
        return milliseconds(lambda: obs.delete("obs://bucket/deleted/", recursive=True))

    def theirs() -> float:
        obs.upload_dir(source, "obs://bucket/removed/")
        return milliseconds(_run, "rm", "-r", str(obs.root / "bucket" / "removed"))

    samples, base = alternate(ROUNDS, ours, theirs)
    return Row(
        name=f"delete {FILES} objects", unit="ms", samples=samples, aim=AIM_OF_DELETION, yardstick="rm -r", base=base
    )


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
