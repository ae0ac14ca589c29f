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
def test_files_are_complete_when_the_kernel_does_not_copy_them(
    obs: LocalBuckets, local: Path, monkeypatch: pytest.MonkeyPatch, size: int, code: int | None
):
    """It may refuse at once, or in the middle: two places of one path need not be on the same disk."""
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    calls: list[int] = []

    for steps in (0, 1) if code else (0,):

        def refusing(source: int, target: int, most: int, steps: int = steps) -> int:
            calls.append(most)
            if len(calls) > steps:
                raise OSError(code, "refused")
            return os.write(target, os.read(source, 1000))

        name = f"{steps}.bin"
        (local / name).write_bytes(content)
        monkeypatch.setattr(file_content, "_by_kernel", refusing if code else None)
        obs.upload_file(name, "obs://bucket/")
        calls.clear()
        obs.download_file(f"obs://bucket/{name}", "there/")

        there, stored = (local / "there" / name).read_bytes(), (obs.root / "bucket" / name).read_bytes()
        assert there == stored == content, f"refused after {steps} step(s)"
        assert len(calls) == (steps + 1 if code and size == SIZE else 0), f"refused after {steps} step(s)"


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
