"""What an interrupted transfer leaves is resumed or removed, on this machine and in the bucket."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from fault_proxy import FaultProxy, Request, Stall, error_reply
from large import PART
from programs import Program, Programs

from modelarts._display.progress import Silent
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local import copies
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import PART as PREFIX
from modelarts._obs.transfer.part_file import PartFile
from modelarts._obs.transfer.worker_pool import Cancelled, Transfer
from modelarts.errors import ObsError
from tests.support.files import put, tree

SIZE = 3 * PART + 5


@pytest.fixture
def big(local: Path) -> Path:
    file = local / "big.bin"
    file.write_bytes(os.urandom(SIZE))
    return file


def part_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(f"{PREFIX}*"))


def unfinished_uploads(obs: HuaweiBuckets, bucket: str) -> list[str]:
    """The keys of unfinished uploads in the bucket."""
    return [upload.key for upload in obs.client().listMultipartUploads(bucket).body.upload]


def is_part(number: int) -> Callable[[Request], bool]:
    return lambda request: f"partNumber={number}&" in request.target


def interrupt_upload(obs: HuaweiBuckets, proxy: FaultProxy, file: Path, target: str) -> None:
    """An upload that fails after some parts."""
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_part(3)(request) else None
    with pytest.raises(ObsError, match="AccessDenied"):
        obs.upload_file(file, target, threads=1)
    proxy.rule = lambda request: None


# --- on this machine


@attrs.frozen
class Downloads:
    """Starts processes with a download in progress, which hangs."""

    programs: Programs
    proxy: FaultProxy
    folder: Path

    def start(self, source: str, target: Path) -> Program:
        proxy, state = self.proxy, str(self.folder / "state")
        proxy.rule = lambda request: Stall() if request.method == "GET" and request.key else None
        proxy.seen.clear()
        buckets = f"HuaweiBuckets({proxy.url!r}, AkSkAuth('A', 'S'), Path({state!r}), part_size={PART})"
        program = self.programs.start(f"{buckets}.download_file({source!r}, {str(target)!r})", self.folder)
        deadline = time.monotonic() + 30
        while not any(request.method == "GET" and request.key for request in proxy.seen):
            assert time.monotonic() < deadline and program.is_running()
            time.sleep(0.01)
        proxy.rule = lambda request: None
        return program


@pytest.fixture
def downloads(programs: Programs, proxy: FaultProxy, tmp_path: Path) -> Downloads:
    return Downloads(programs, proxy, tmp_path)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("size", [100, SIZE])
def test_the_next_download_resumes_or_removes_the_part_file_of_a_killed_one(
    obs: HuaweiBuckets, bucket: str, local: Path, downloads: Downloads, tmp_path: Path, how: int,
    size: int,
):  # fmt: skip
    (local / "file.bin").write_bytes(os.urandom(size))
    obs.upload_file("file.bin", f"obs://{bucket}/")
    target = local / "there" / "file.bin"
    process = downloads.start(f"obs://{bucket}/file.bin", target)
    process.end(how)
    assert len(part_files(local)) == 1

    obs.download_file(f"obs://{bucket}/file.bin", target)

    assert target.read_bytes() == (local / "file.bin").read_bytes()
    assert part_files(local) == []


@pytest.mark.parametrize("size", [100, SIZE])
def test_the_part_file_of_a_running_process_is_not_touched(
    obs: HuaweiBuckets, bucket: str, local: Path, downloads: Downloads, tmp_path: Path, size: int
):
    (local / "file.bin").write_bytes(os.urandom(size))
    obs.upload_file("file.bin", f"obs://{bucket}/")
    target = local / "there" / "file.bin"
    process = downloads.start(f"obs://{bucket}/file.bin", target)
    held = part_files(local)

    obs.download_file(f"obs://{bucket}/file.bin", target)

    assert target.read_bytes() == (local / "file.bin").read_bytes()
    assert part_files(local) == held and process.is_running()
    process.end()


def test_part_files_of_several_killed_processes_are_all_removed(
    obs: HuaweiBuckets, bucket: str, local: Path, downloads: Downloads, tmp_path: Path
):
    (local / "file.bin").write_bytes(b"text")
    obs.upload_file("file.bin", f"obs://{bucket}/")
    target = local / "there" / "file.bin"
    processes = [downloads.start(f"obs://{bucket}/file.bin", target) for _ in range(3)]
    assert len(part_files(local)) == 3
    for process in processes:
        process.end()

    obs.download_file(f"obs://{bucket}/file.bin", target)

    assert target.read_bytes() == b"text" and part_files(local) == []


@pytest.mark.parametrize("size", [100, SIZE])
def test_a_download_with_sync_removes_part_files_of_files_that_are_up_to_date(
    obs: HuaweiBuckets, bucket: str, local: Path, downloads: Downloads, tmp_path: Path, size: int
):
    """The file exists and is complete: there is nothing to download."""
    (local / "file.bin").write_bytes(os.urandom(size))
    obs.upload_file("file.bin", f"obs://{bucket}/")
    target = local / "there" / "file.bin"
    obs.download_file(f"obs://{bucket}/file.bin", target)
    process = downloads.start(f"obs://{bucket}/file.bin", target)
    process.end()

    obs.download_file(f"obs://{bucket}/file.bin", target, sync=True)

    assert target.read_bytes() == (local / "file.bin").read_bytes()
    assert part_files(local) == [] and [*(tmp_path / "state" / "transfers").glob("*")] == []


def test_an_upload_with_sync_ends_an_interrupted_upload(
    obs: HuaweiBuckets, bucket: str, proxy: FaultProxy, big: Path
):
    obs.upload_file(big, f"obs://{bucket}/")
    interrupt_upload(obs, proxy, big, f"obs://{bucket}/")
    assert unfinished_uploads(obs, bucket) == ["big.bin"]

    obs.upload_file(big, f"obs://{bucket}/", sync=True)

    assert unfinished_uploads(obs, bucket) == []


def upload_and_be_killed(programs: Programs, buckets: Path, folder: Path) -> None:
    """A process that is killed when it has copied everything, just before the object would appear."""
    program = f"""
        copies.was_modified = lambda *_: os._exit(0)
        LocalBuckets({str(buckets)!r}).upload_file("file.txt", "obs://bucket/")
    """
    assert programs.start(program, folder).output() == ""


def test_a_killed_upload_of_a_new_object_to_a_local_bucket_leaves_nothing(
    tmp_path: Path, local: Path, programs: Programs
):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    put(local / "file.txt")

    upload_and_be_killed(programs, tmp_path / "buckets", local)

    assert [*(tmp_path / "buckets" / "bucket").iterdir()] == []


@pytest.mark.parametrize("has_unnamed_files", [True, False])
def test_what_a_killed_upload_over_an_object_left_in_a_local_bucket_is_removed(
    tmp_path: Path, local: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch, has_unnamed_files: bool
):
    """The object is deleted meanwhile, so that the next upload finds only what the killed one left."""
    if not has_unnamed_files:
        monkeypatch.setattr(copies, "open_unnamed", lambda *_: None)
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    put(local / "file.txt", "a longer text")
    obs.upload_file("file.txt", "obs://bucket/")
    upload_and_be_killed(programs, tmp_path / "buckets", local)
    assert len(part_files(tmp_path / "buckets")) == 1
    obs.delete("obs://bucket/file.txt")
    put(local / "file.txt", "text")

    obs.upload_file("file.txt", "obs://bucket/")

    assert part_files(tmp_path / "buckets") == [] and tree(obs.root) == {"bucket/file.txt": "text"}


def test_an_object_that_appears_while_it_is_uploaded_to_a_local_bucket_is_replaced(
    tmp_path: Path, local: Path, monkeypatch: pytest.MonkeyPatch
):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    give_name = copies.give_name

    def second(handle: int, path: Path) -> bool:
        put(path, "of another process")
        return give_name(handle, path)

    monkeypatch.setattr(copies, "give_name", second)
    obs.upload_file(put(local / "file.txt", "mine"), "obs://bucket/")

    assert tree(obs.root) == {"bucket/file.txt": "mine"}


def test_a_cancelled_copy_ends_at_once(local: Path):
    class Stops(Silent):
        def moved(self, size: int) -> None:
            transfer.stop.set()

    transfer = Transfer(1, Stops())
    (local / "file.bin").write_bytes(bytes(3 << 20))

    with pytest.raises(Cancelled):
        copies.FileCopy(local / "file.bin", local / "there.bin", "copy", transfer, lambda: None, local)()

    assert [path.name for path in local.iterdir()] == ["file.bin"]


def test_a_failed_upload_leaves_no_folder_that_it_created(
    tmp_path: Path, local: Path, monkeypatch: pytest.MonkeyPatch
):
    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    obs.create_directory("obs://bucket/made/")
    for folder in ("src/a/b", "src/a/c", "src/d"):
        (local / folder).mkdir(parents=True)
        (local / folder / "file.txt").write_text("text")
    monkeypatch.setattr(os, "write", full_disk)

    with pytest.raises(ObsError, match=r"cannot upload to obs://bucket/made/src/.*/file.txt: No space left on device"):
        obs.upload_dir("src", "obs://bucket/made/")
    monkeypatch.undo()

    assert [path.name for path in (tmp_path / "buckets" / "bucket").rglob("*")] == ["made"]


def test_a_bucket_exists_while_it_is_emptied_and_written_to(tmp_path: Path, local: Path):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    for number in range(20):
        put(local / "src" / str(number % 3) / f"{number}.txt")
    over = threading.Event()

    def upload() -> None:
        while not over.is_set():
            with suppress(ObsError):  # what is on its way may be removed, too
                obs.upload_dir(local / "src", "obs://bucket/x/")

    uploading = threading.Thread(target=upload)
    uploading.start()
    try:
        for _ in range(100):
            obs.delete("obs://bucket", recursive=True)
            assert obs.exists("obs://bucket")
    finally:
        over.set()
        uploading.join()


def test_deleting_a_bucket_that_is_a_link_keeps_what_it_links_to(tmp_path: Path, local: Path):
    obs = LocalBuckets(tmp_path / "buckets")
    for name in ("emptied", "removed"):
        obs.create_bucket(name)
        put(local / name / "mine.txt")
        (obs.root / name).rmdir()
        (obs.root / name).symlink_to(local / name)
        obs.delete(f"obs://{name}", recursive=True)
        assert obs.list(f"obs://{name}") == [] and (local / name / "mine.txt").is_file()

    (obs.root / "removed").rmdir()
    (local / "nothing").mkdir()
    (obs.root / "removed").symlink_to(local / "nothing")
    obs.delete_bucket("removed")

    assert not obs.exists("obs://removed") and (local / "nothing").is_dir()


@pytest.mark.parametrize("grows", [True, False])
def test_a_file_that_changes_during_its_upload_to_a_local_bucket_is_an_error(
    tmp_path: Path, local: Path, monkeypatch: pytest.MonkeyPatch, grows: bool
):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    file = put(local / "a.txt", "older")
    os.utime(file, (1, 1))
    copied = copies.copied

    def written_to(*arguments: Any) -> Iterator[int]:
        yield from copied(*arguments)
        file.write_text("newer and longer" if grows else "newer")

    monkeypatch.setattr(copies, "copied", written_to)
    with pytest.raises(ObsError, match=r"a.txt changed while it was uploaded; call again"):
        obs.upload_file(file, "obs://bucket/")

    assert obs.list("obs://bucket/") == []


@pytest.mark.parametrize("what", ["another user's", "a link"])
def test_a_part_file_that_cannot_be_used_does_not_stop_a_download(tmp_path: Path, local: Path, what: str):
    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    (local / "file.txt").write_text("text")
    obs.upload_file("file.txt", "obs://bucket/")
    (local / "there.txt").write_text("older")
    name = PartFile(local / "there.txt").path
    name.unlink()
    if what == "a link":
        name.symlink_to("file.txt")
    else:
        name.mkdir()

    obs.download_file("obs://bucket/file.txt", "there.txt")

    assert (local / "there.txt").read_text() == (local / "file.txt").read_text() == "text"
    assert part_files(local) == [name.name]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS])
def test_files_are_written_on_a_file_system_without_locks(
    tmp_path: Path, local: Path, monkeypatch: pytest.MonkeyPatch, code: int
):
    def no_locks(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    obs = LocalBuckets(tmp_path / "buckets")
    obs.create_bucket("bucket")
    (local / "file.txt").write_text("text")
    monkeypatch.setattr("fcntl.flock", no_locks)

    for _ in range(2):
        obs.upload_file("file.txt", "obs://bucket/")
        obs.download_file("obs://bucket/file.txt", local / "there" / "file.txt")

    assert (local / "there" / "file.txt").read_text() == "text"
    assert part_files(local) == part_files(tmp_path / "buckets") == []


# --- in the bucket


def test_deleting_a_folder_or_the_content_of_a_bucket_ends_unfinished_uploads(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    for folder in ("dir", "other"):
        interrupt_upload(obs, proxy, big, f"obs://{bucket}/{folder}/")
    (local / "a.txt").write_text("text")
    obs.upload_file("a.txt", f"obs://{bucket}/dir/")

    obs.delete(f"obs://{bucket}/dir/", recursive=True)
    assert unfinished_uploads(obs, bucket) == ["other/big.bin"]
    obs.delete(f"obs://{bucket}/", recursive=True)
    assert unfinished_uploads(obs, bucket) == []
    obs.delete_bucket(bucket)

    assert not obs.exists(f"obs://{bucket}")


def test_a_folder_can_be_deleted_without_permission_to_list_uploads(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy
):
    (local / "a.txt").write_text("text")
    obs.upload_file("a.txt", f"obs://{bucket}/")
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if "uploads" in request.target else None

    obs.delete(f"obs://{bucket}/", recursive=True)

    assert obs.list(f"obs://{bucket}/") == []


def test_uploading_a_file_that_became_small_ends_its_interrupted_upload(
    obs: HuaweiBuckets, bucket: str, big: Path, proxy: FaultProxy, tmp_path: Path
):
    interrupt_upload(obs, proxy, big, f"obs://{bucket}/")
    assert unfinished_uploads(obs, bucket) == ["big.bin"]
    big.write_text("small")

    obs.upload_file(big, f"obs://{bucket}/")

    assert unfinished_uploads(obs, bucket) == [] and [*(tmp_path / "state" / "transfers").iterdir()] == []
    assert obs.list(f"obs://{bucket}/big.bin")[0].size == 5


def test_a_failed_upload_without_resume_state_is_ended(
    obs: HuaweiBuckets, bucket: str, big: Path, proxy: FaultProxy, tmp_path: Path
):
    (tmp_path / "state").write_text("a file where the folder should be")

    interrupt_upload(obs, proxy, big, f"obs://{bucket}/")

    assert unfinished_uploads(obs, bucket) == []


def test_a_full_disk_for_resume_states_does_not_stop_a_transfer(
    bucket: str, local: Path, big: Path, proxy: FaultProxy, obs: HuaweiBuckets, programs: Programs
):
    program = f"""
        import resource
        obs = HuaweiBuckets({proxy.url!r}, AkSkAuth("A", "S"), Path("state"), part_size={PART})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, -1))
        obs.upload_file("big.bin", "obs://{bucket}/")
    """

    said = programs.start(program, local).output()

    assert "a transfer that is interrupted will start from the beginning" in said and "Traceback" not in said
    assert obs.list(f"obs://{bucket}/big.bin")[0].size == SIZE
    assert [*(local / "state" / "transfers").iterdir()] == []
