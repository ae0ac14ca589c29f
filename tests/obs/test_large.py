"""Large files go in parts, with faults on the way and without, and nothing half done is ever seen."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import CutBody, CutReply, Damage, FaultProxy, Reply, Request, Stall, error_reply
from large import MIB, PART, PARTS, SIZE, is_part, is_range, partial_files, records, same, stored

from modelarts._obs.cloud import checksums, downloads
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts.errors import ObsError

# --- whole transfers


def test_a_large_file_is_transferred_in_parts(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    obs.upload_file(big, f"obs://{bucket}/")
    obs.download_file(f"obs://{bucket}/big.bin", "there/")

    sent = [request.body for request in proxy.seen if request.is_part]
    fetched = [request.sent for request in proxy.requests_of("GET", "big.bin")]
    assert sorted(sent) == sorted(fetched) == [12345] + [PART] * 4
    assert same(big, local / "there" / "big.bin")
    assert partial_files(local) == [] and records(tmp_path) == []


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
def test_files_around_the_size_of_a_part_are_transferred(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy, size: int
):
    file = local / "file.bin"
    file.write_bytes(os.urandom(size))

    obs.upload_file(file, f"obs://{bucket}/")
    obs.download_file(f"obs://{bucket}/file.bin", "there/")

    assert same(file, local / "there" / "file.bin")
    assert len([request for request in proxy.seen if request.is_part]) == (2 if size > PART else 0)


def test_large_and_small_files_of_a_folder_share_the_threads(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy
):
    (local / "data").mkdir()
    for number in range(3):
        (local / "data" / f"{number}.bin").write_bytes(os.urandom(2 * PART + number))
        (local / "data" / f"{number}.txt").write_text(str(number))

    obs.upload_dir("data", f"obs://{bucket}/", threads=4)
    obs.download_dir(f"obs://{bucket}/data/", "there", threads=4)

    assert all(same(file, local / "there" / "data" / file.name) for file in (local / "data").iterdir())
    assert proxy.connections <= 2 * 4 + 2  # connections are kept


def test_parts_grow_with_files_so_that_ten_thousand_are_enough():
    for size in (0, 1, 8 * MIB, 5 * 10**9, 10**12, 48 * 2**40):
        part_size = checksums.part_size_of(size)
        assert -(-size // part_size) <= 10_000
        assert part_size >= 8 * MIB and part_size % MIB == 0


# --- faults while a part is moved


@pytest.mark.parametrize("fault", [
    CutBody(0), CutBody(PART // 2), CutReply(), Stall(), Reply(503), error_reply(503, "SlowDown"),
    error_reply(500, "InternalError"), Reply(429), error_reply(400, "RequestTimeout"), error_reply(400, "BadDigest"),
], ids=str)  # fmt: skip
def test_a_failure_while_a_part_is_sent_repeats_only_that_part(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, fault: Any
):
    times = 1 if fault == Stall() else 2
    proxy.times(times, fault, is_part(2))

    obs.upload_file(big, f"obs://{bucket}/")

    assert len([request for request in proxy.seen if is_part(2)(request)]) == 1 + times
    assert len([request for request in proxy.seen if request.is_part]) == PARTS + times
    assert same(big, stored(obs, bucket, local))


@pytest.mark.parametrize("fault", [
    CutReply(), CutReply(0), CutReply(PART // 2), CutReply(PART // 2, clean=True), Stall(), Reply(503),
], ids=str)  # fmt: skip
def test_a_failure_while_a_part_is_received_repeats_only_that_part(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, fault: Any
):
    obs.upload_file(big, f"obs://{bucket}/")
    proxy.seen.clear()
    times = 1 if fault == Stall() else 2
    proxy.times(times, fault, is_range(2))

    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert len(proxy.requests_of("GET", "big.bin")) == PARTS + times
    assert same(big, local / "there.bin") and partial_files(local) == []


@pytest.mark.parametrize("call", ["?uploads", "uploadId"])
def test_a_reply_lost_at_the_start_or_end_of_an_upload_is_recovered(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, call: str
):
    proxy.times(1, CutReply(), lambda request: request.method == "POST" and call in request.target)

    obs.upload_file(big, f"obs://{bucket}/")

    assert same(big, stored(obs, bucket, local))


def test_an_upload_lost_by_obs_at_its_end_is_an_error(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    obs.upload_file(big, f"obs://{bucket}/")
    big.write_bytes(os.urandom(SIZE))  # as large as the object that is there
    ends = lambda request: request.method == "POST" and "uploadId" in request.target  # noqa: E731
    proxy.times(1, error_reply(404, "NoSuchUpload"), ends)

    with pytest.raises(ObsError, match="OBS did not put its parts together; call again"):
        obs.upload_file(big, f"obs://{bucket}/")
    obs.upload_file(big, f"obs://{bucket}/")

    assert same(big, stored(obs, bucket, local))


def test_a_file_that_changes_while_it_is_sent_is_not_completed(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    def rule(request: Request) -> None:
        if is_part(5)(request):
            with big.open("r+b") as file:
                file.write(b"changed")

    proxy.rule = rule
    with pytest.raises(ObsError, match=r"big\.bin changed while it was uploaded"):
        obs.upload_file(big, f"obs://{bucket}/", threads=1)
    assert not obs.exists(f"obs://{bucket}/big.bin")
    proxy.rule = lambda request: None

    obs.upload_file(big, f"obs://{bucket}/")

    assert same(big, stored(obs, bucket, local))


def test_a_file_that_shrinks_while_it_is_sent_is_an_error(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    def rule(request: Request) -> None:
        if is_part(1)(request):
            os.truncate(big, PART)

    proxy.rule = rule

    with pytest.raises(ObsError, match=r"big\.bin changed while it was uploaded"):
        obs.upload_file(big, f"obs://{bucket}/", threads=1)

    assert not obs.exists(f"obs://{bucket}/big.bin")


def test_an_object_replaced_while_it_is_downloaded_is_an_error(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    obs.upload_file(big, f"obs://{bucket}/")
    client = obs.client()

    def rule(request: Request) -> None:
        if is_range(3)(request):
            client.putContent(bucket, "big.bin", b"x" * SIZE)

    proxy.rule = rule
    with pytest.raises(ObsError, match=r"big\.bin was replaced while it was downloaded"):
        obs.download_file(f"obs://{bucket}/big.bin", "there.bin", threads=1)
    proxy.rule = lambda request: None
    assert not (local / "there.bin").exists()

    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert (local / "there.bin").read_bytes() == b"x" * SIZE


def test_a_late_thread_does_not_write_to_the_finished_file(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    (local / "big.bin").write_bytes(b"".join(bytes([number]) * PART for number in (1, 2, 3, 4)))
    obs.upload_file("big.bin", f"obs://{bucket}/")
    write, held, release = downloads._Sink.write, threading.Event(), threading.Event()

    def slow(sink: Any, chunk: bytes) -> None:
        if chunk[0] == 3:
            held.set()
            release.wait(30)
        write(sink, chunk)

    def rule(request: Request) -> Any:
        if is_range(4)(request):
            held.wait(30)
            return error_reply(403, "AccessDenied")
        return None

    monkeypatch.setattr(downloads._Sink, "write", slow)
    proxy.rule = rule
    with pytest.raises(ObsError, match="AccessDenied"):
        obs.download_file(f"obs://{bucket}/big.bin", "there.bin", threads=4)
    late = [thread for thread in threading.enumerate() if thread.name.startswith("modelarts-obs-")]
    proxy.rule = lambda request: None
    (local / "big.bin").write_bytes(bytes(4 * PART))
    obs.upload_file("big.bin", f"obs://{bucket}/")
    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")
    release.set()
    for thread in late:
        thread.join(30)

    assert late and same(local / "big.bin", local / "there.bin") and partial_files(local) == []


def test_damaged_content_is_detected_by_its_md5(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    obs.client().putFile(bucket, "big.bin", str(big))  # in one piece: its ETag is its MD5
    obs.client().putContent(bucket, "small.bin", b"small")
    proxy.rule = lambda request: Damage() if is_range(3)(request) or request.key == "small.bin" else None

    for name in ("big.bin", "small.bin"):
        with pytest.raises(ObsError, match=f"{name}: the content received differs from the object"):
            obs.download_file(f"obs://{bucket}/{name}", "there.bin")
        assert not (local / "there.bin").exists() and partial_files(local) == [] and records(tmp_path) == []
    proxy.rule = lambda request: None
    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert same(big, local / "there.bin")


# --- memory


def test_memory_does_not_grow_with_the_file(bucket: str, local: Path, s3_port: int):
    program = f"""
        import resource
        from pathlib import Path
        from modelarts._auth.signing import AkSkAuth
        from modelarts._obs.cloud.buckets import HuaweiBuckets
        obs = HuaweiBuckets("http://127.0.0.1:{s3_port}", AkSkAuth("A", "S"), Path("state"), part_size={2 * PART})
        for name in ("small.bin", "large.bin"):
            obs.upload_file(name, "obs://{bucket}/")
            sent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            obs.download_file("obs://{bucket}/" + name, "there/")
            print(sent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """
    for name, size in (("small.bin", 4), ("large.bin", 14)):
        with (local / name).open("wb") as file:
            file.truncate(size * MIB)

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=local, capture_output=True, text=True, check=True
    )

    _, before, sent, fetched = map(int, done.stdout.split())
    assert sent - before < 5 and fetched - before < 5  # MiB, for 10 more of file
