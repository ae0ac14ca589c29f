"""How files are copied on one machine: complete, quickly, and without leftovers, on every kind of file system."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelarts import moxing
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.moxing.framework.file import _copy
from tests.support.files import contents, put

SIZES = {"empty": 0, "small": 1000, "middle": 300_000, "large/1": 3_000_001, "large/2": 1 << 20, "large/3": 3_000_000}
BYTES = bytes(range(251)) * 12_000  # differs wherever a copy takes steps, which are powers of two


@pytest.fixture
def bucket(folders: LocalBuckets) -> Path:
    folders.create_bucket("bucket")
    return folders.root / "bucket"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files of all sizes."""
    for name, size in SIZES.items():
        put(tmp_path / "files" / name, BYTES[:size])
    return tmp_path / "files"


def failing(code: int) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def no_unnamed_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_copy, "_O_TMPFILE", 0)


def no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.ENOENT))


def another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_copy, "_by_kernel", failing(errno.EXDEV))


def old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)


SYSTEMS = [lambda _: None, no_unnamed_files, no_proc, another_disk, old_python]


@pytest.mark.parametrize("system", SYSTEMS, ids=["usual", "no-unnamed-files", "no-proc", "another-disk", "old-python"])
def test_copies_are_complete(
    bucket: Path, files: Path, monkeypatch: pytest.MonkeyPatch, system: Callable[[pytest.MonkeyPatch], None]
):
    """Into a new folder, then over what is there, whose names stay."""
    system(monkeypatch)
    put(bucket / "up" / "keep.txt", "kept")
    for _ in range(2):
        moxing.file.copy_parallel(str(files), "obs://bucket/up")

    assert contents(bucket / "up") == {**contents(files), "keep.txt": b"kept"}

    put(bucket / "up" / "small", "another")
    moxing.file.copy_parallel("obs://bucket/up", str(files), threads=0)

    assert contents(files) == contents(bucket / "up")


@pytest.mark.parametrize("system", SYSTEMS[:3], ids=["usual", "no-unnamed-files", "no-proc"])
@pytest.mark.parametrize("name", ["large/1", "middle"])
def test_a_copy_that_fails_leaves_what_was_there(
    bucket: Path, files: Path, monkeypatch: pytest.MonkeyPatch, system: Callable[[pytest.MonkeyPatch], None], name: str
):
    put(bucket / name, "old")
    system(monkeypatch)
    monkeypatch.setattr(_copy, "_by_kernel", failing(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left on device"):
        moxing.file.copy(str(files / name), f"obs://bucket/{name}")

    assert contents(bucket) == {name: b"old"}


def test_one_of_many_that_fails_is_reported(bucket: Path, files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_copy, "_by_kernel", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        moxing.file.copy_parallel(str(files), "obs://bucket/up")

    assert set(contents(bucket / "up")) == {"empty", "small"}


def test_a_new_folder_that_cannot_be_filled_does_not_appear(
    bucket: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(files, bucket / "d")
    monkeypatch.setattr(_copy, "_by_kernel", failing(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left on device"):
        moxing.file.copy_parallel("obs://bucket/d", str(tmp_path / "new" / "N"))

    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_that_appears_while_it_is_copied_keeps_what_is_in_it(
    bucket: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(files, bucket / "d")
    (bucket / "d" / "empty folder").mkdir()
    rename = os.rename

    def second(part: str, target: str) -> None:
        put(Path(target, "keep.txt"), "kept")
        rename(part, target)

    monkeypatch.setattr(os, "rename", second)
    moxing.file.copy_parallel("obs://bucket/d", str(tmp_path / "new" / "N") + "/")

    assert contents(tmp_path / "new" / "N") == {**contents(files), "keep.txt": b"kept"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"N"}
    assert (tmp_path / "new" / "N" / "empty folder").is_dir()


def test_a_copy_of_a_file_to_itself_changes_nothing(bucket: Path, files: Path):
    for name in ("small", "large/1"):
        before = (files / name).stat()
        moxing.file.copy(str(files / name), str(files / name))

        after = (files / name).stat()
        assert (after.st_ino, after.st_size, after.st_mtime_ns, after.st_ctime_ns) == (
            before.st_ino, before.st_size, before.st_mtime_ns, before.st_ctime_ns
        )  # fmt: skip


def test_several_processes_copy_to_one_place(bucket: Path, files: Path, tmp_path: Path):
    """Ranks of a job that all copy their data to `/cache`: whoever comes second replaces files that are complete."""
    code = "import sys; from modelarts import moxing as mox; mox.file.copy_parallel(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(files), str(tmp_path / "cache" / "data")]
    processes = [subprocess.Popen(command) for _ in range(3)]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert contents(tmp_path / "cache" / "data") == contents(files)


def test_an_interruption_after_the_last_step_is_what_is_raised(
    bucket: Path, files: Path, monkeypatch: pytest.MonkeyPatch
):
    replace = os.replace

    def interrupted(source: str, target: str) -> None:
        replace(source, target)
        raise KeyboardInterrupt

    (bucket / "large").write_text("before")
    monkeypatch.setattr(os, "replace", interrupted)

    with pytest.raises(KeyboardInterrupt):
        moxing.file.copy(str(files / "large" / "1"), "obs://bucket/large")


def test_large_files_are_copied_at_the_same_time(bucket: Path, files: Path, monkeypatch: pytest.MonkeyPatch):
    """Two must be under way before either can go on."""
    both = threading.Barrier(2, timeout=30)
    copy, first = _copy._by_kernel, threading.local()

    def together(*arguments: int) -> int:
        if not getattr(first, "done", False):
            first.done = True
            both.wait()
        return copy(*arguments)

    monkeypatch.setattr(_copy, "_by_kernel", together)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    moxing.file.copy_parallel(str(files / "large"), "obs://bucket/up")

    assert contents(bucket / "up") == contents(files / "large")


def test_the_content_of_files_without_a_size_is_copied(bucket: Path):
    """Files of /proc say that they are empty."""
    moxing.file.copy("/proc/version", "obs://bucket/version")

    assert (bucket / "version").read_bytes() == Path("/proc/version").read_bytes() != b""


@pytest.fixture(autouse=True)
def no_leftovers(bucket: Path, tmp_path: Path) -> Iterator[None]:
    yield

    assert list(tmp_path.rglob(".modelarts-part-*")) == []
