"""Files on this machine are copied inside the kernel where it can, and completely wherever it cannot."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.transfer import file_content

SIZE = 3 * (1 << 20) + 5  # more than one step in each way


@pytest.fixture
def obs(tmp_path: Path) -> LocalBuckets:
    buckets = LocalBuckets(tmp_path / "buckets")
    buckets.create_bucket("bucket")
    return buckets


@pytest.mark.parametrize("size", [0, 1, SIZE])
@pytest.mark.parametrize("code", [None, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
@pytest.mark.parametrize("steps", [0, 1])
def test_files_are_complete_when_the_kernel_does_not_copy_them(
    obs: LocalBuckets, local: Path, monkeypatch: pytest.MonkeyPatch, size: int, code: int | None, steps: int
):
    """It may refuse at once, or in the middle: two places of one path need not be on the same disk."""
    content = os.urandom(size)
    (local / "file.bin").write_bytes(content)
    calls: list[int] = []

    def refusing(source: int, target: int, most: int) -> int:
        calls.append(most)
        if len(calls) > steps:
            raise OSError(code, "refused")
        return os.write(target, os.read(source, 1000))

    monkeypatch.setattr(file_content, "_by_kernel", refusing if code else None)
    obs.upload_file("file.bin", "obs://bucket/")
    calls.clear()
    obs.download_file("obs://bucket/file.bin", "there.bin")

    assert (local / "there.bin").read_bytes() == (obs.root / "bucket" / "file.bin").read_bytes() == content
    assert len(calls) == (steps + 1 if code and size == SIZE else 0)


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="this system or this Python has no copy_file_range")
def test_large_files_are_copied_inside_the_kernel(obs: LocalBuckets, local: Path, monkeypatch: pytest.MonkeyPatch):
    copied: list[int] = []

    def watched(*arguments: int) -> int:
        copied.append(os.copy_file_range(*arguments))
        return copied[-1]

    monkeypatch.setattr(file_content, "_by_kernel", watched)
    content = os.urandom(SIZE)
    (local / "file.bin").write_bytes(content)

    obs.upload_file("file.bin", "obs://bucket/")

    assert sum(copied) == SIZE and (obs.root / "bucket" / "file.bin").read_bytes() == content


def test_another_failure_of_the_kernel_is_reported(obs: LocalBuckets, local: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(file_content, "_by_kernel", full)
    (local / "file.bin").write_bytes(bytes(SIZE))

    with pytest.raises(OSError, match="No space left on device"):
        obs.upload_file("file.bin", "obs://bucket/")

    assert obs.list("obs://bucket/") == []
