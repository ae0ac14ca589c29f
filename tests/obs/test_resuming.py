"""What was cut off goes on, also in another process; with `sync` only what differs is sent again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from fault_proxy import FaultProxy, Request, Stall, error_reply
from large import PART, PARTS, SIZE, is_part, is_range, partial_files, records, same, stored
from programs import Programs

from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts.errors import ObsError
from tests.support.cases import case

# --- resuming


def test_a_failed_upload_resumes_with_the_missing_parts(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_part(4)(request) else None
    with pytest.raises(ObsError, match="no permission"):
        obs.upload_file(big, f"obs://{bucket}/", threads=1)
    assert not obs.exists(f"obs://{bucket}/big.bin")
    assert len(records(tmp_path)) == 1
    proxy.rule = lambda request: None
    proxy.seen.clear()

    obs.upload_file(big, f"obs://{bucket}/")

    assert sorted(request.body for request in proxy.seen if request.is_part) == [12345, PART]
    assert proxy.requests_of("POST", "?uploads") == []
    assert same(big, stored(obs, bucket, local)) and records(tmp_path) == []


def test_a_failed_download_resumes_with_the_missing_parts(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    obs.upload_file(big, f"obs://{bucket}/")
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_range(4)(request) else None
    (local / "there.bin").write_text("what was there")
    with pytest.raises(ObsError, match="no permission"):
        obs.download_file(f"obs://{bucket}/big.bin", "there.bin", threads=1)
    assert (local / "there.bin").read_text() == "what was there"
    proxy.rule = lambda request: None
    proxy.seen.clear()

    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert sorted(request.sent for request in proxy.requests_of("GET", "big.bin")) == [12345, PART]
    assert same(big, local / "there.bin")
    assert partial_files(local) == [] and records(tmp_path) == []


@attrs.frozen
class Child:
    """Makes a call in a process of its own, which ends at a request that gets no reply."""

    programs: Programs
    proxy: FaultProxy
    folder: Path

    def stopped_at(self, where: Callable[[Request], bool], how: int, call: str) -> str:
        """Send it a signal at that request, and return what it wrote."""
        self.proxy.rule = lambda request: Stall() if where(request) else None
        state = str(self.folder / "state")
        buckets = f"HuaweiBuckets({self.proxy.url!r}, AkSkAuth('A', 'S'), Path({state!r}), part_size={PART})"
        program = self.programs.start(f"{buckets}.{call}", self.folder / "local")
        deadline = time.monotonic() + 30
        while not any(where(request) for request in self.proxy.seen):
            assert time.monotonic() < deadline and program.is_running()
            time.sleep(0.01)
        said = program.end(how)
        self.proxy.rule = lambda request: None
        return said


@pytest.fixture
def child(programs: Programs, proxy: FaultProxy, tmp_path: Path, local: Path) -> Child:
    return Child(programs, proxy, tmp_path)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_upload_resumes_after_its_process_was_killed(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, child: Child, how: int
):
    said = child.stopped_at(is_part(3), how, f"upload_file('big.bin', 'obs://{bucket}/', threads=1)")
    assert not obs.exists(f"obs://{bucket}/big.bin")
    proxy.seen.clear()

    obs.upload_file(big, f"obs://{bucket}/")

    assert ("KeyboardInterrupt" in said) is (how == signal.SIGINT)
    assert sorted(request.body for request in proxy.seen if request.is_part) == [12345, PART, PART]
    assert same(big, stored(obs, bucket, local))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_download_resumes_after_its_process_was_killed(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, child: Child, how: int
):
    obs.upload_file(big, f"obs://{bucket}/")
    child.stopped_at(is_range(3), how, f"download_file('obs://{bucket}/big.bin', 'there.bin', threads=1)")
    assert not (local / "there.bin").exists() and len(partial_files(local)) == 1
    proxy.seen.clear()

    obs.download_file(f"obs://{bucket}/big.bin", local / "there.bin")

    assert sorted(request.sent for request in proxy.requests_of("GET", "big.bin")) == [12345, PART, PART]
    assert same(big, local / "there.bin") and partial_files(local) == []


def test_a_part_that_changed_is_sent_again(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_part(5)(request) else None
    with pytest.raises(ObsError):
        obs.upload_file(big, f"obs://{bucket}/", threads=1)
    with big.open("r+b") as file:
        file.seek(PART)
        file.write(b"changed")
    proxy.rule = lambda request: None
    proxy.seen.clear()

    obs.upload_file(big, f"obs://{bucket}/")

    assert sorted(request.body for request in proxy.seen if request.is_part) == [12345, PART]
    assert same(big, stored(obs, bucket, local))


def test_a_part_damaged_on_disk_is_downloaded_again(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    obs.upload_file(big, f"obs://{bucket}/")
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_range(5)(request) else None
    with pytest.raises(ObsError):
        obs.download_file(f"obs://{bucket}/big.bin", "there.bin", threads=1)
    (partial,) = partial_files(local)
    with partial.open("r+b") as file:
        file.seek(PART)
        file.write(b"damaged")
    proxy.rule = lambda request: None
    proxy.seen.clear()

    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert sorted(request.sent for request in proxy.requests_of("GET", "big.bin")) == [12345, PART]
    assert same(big, local / "there.bin")


def test_an_upload_unknown_to_obs_starts_again(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_part(3)(request) else None
    with pytest.raises(ObsError):
        obs.upload_file(big, f"obs://{bucket}/", threads=1)
    (began,) = obs.client().listMultipartUploads(bucket).body.upload
    obs.client().abortMultipartUpload(bucket, "big.bin", began.uploadId)
    proxy.rule = lambda request: None
    proxy.seen.clear()

    obs.upload_file(big, f"obs://{bucket}/")

    assert len([request for request in proxy.seen if request.is_part]) == PARTS
    assert same(big, stored(obs, bucket, local))


def test_a_replaced_object_is_downloaded_from_the_start(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    obs.upload_file(big, f"obs://{bucket}/")
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if is_range(3)(request) else None
    with pytest.raises(ObsError):
        obs.download_file(f"obs://{bucket}/big.bin", "there.bin", threads=1)
    proxy.rule = lambda request: None
    big.write_bytes(os.urandom(SIZE))
    obs.upload_file(big, f"obs://{bucket}/")

    obs.download_file(f"obs://{bucket}/big.bin", "there.bin")

    assert same(big, local / "there.bin")


def test_a_damaged_record_is_ignored(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, tmp_path: Path
):
    for text in ("", "{", '{"a": 1}', "[]", f'{{"part_size": {PART}, "upload_id": "none"}}\n[1', "\0\n"):
        proxy.rule = lambda request: error_reply(403, "AccessDenied") if request.is_part else None
        with case(text):
            with pytest.raises(ObsError):
                obs.upload_file(big, f"obs://{bucket}/")
            (record,) = records(tmp_path)
            record.write_text(text)
            proxy.rule = lambda request: None

            obs.upload_file(big, f"obs://{bucket}/")

            assert same(big, stored(obs, bucket, local))
        big.write_bytes(os.urandom(SIZE))


def test_transfers_work_without_a_folder_for_records(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "state").write_text("a file where the folder should be")

    obs.upload_file(big, f"obs://{bucket}/")
    obs.download_file(f"obs://{bucket}/big.bin", "there/")

    assert same(big, local / "there" / "big.bin") and partial_files(local) == []
    assert "a transfer that is interrupted will start from the beginning" in caplog.text


def test_two_transfers_of_one_file_do_not_interfere(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy, auth: Any
):
    other = HuaweiBuckets(proxy.url, auth, local.parent / "state", part_size=PART)
    inner = []

    def rule(request: Request) -> Any:
        if is_part(2)(request) and not inner:
            inner.append(True)
            other.upload_file(big, f"obs://{bucket}/")

    proxy.rule = rule
    obs.upload_file(big, f"obs://{bucket}/", threads=1)
    proxy.rule = lambda request: None

    assert len(proxy.requests_of("POST", "?uploads")) == 2
    assert same(big, stored(obs, bucket, local))
    other.close()


# --- what is sent again


def test_sync_compares_large_files_by_the_md5s_of_their_parts(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    obs.upload_file(big, f"obs://{bucket}/")
    proxy.seen.clear()

    obs.upload_file(big, f"obs://{bucket}/", sync=True)
    obs.download_file(f"obs://{bucket}/big.bin", big, sync=True)
    assert {request.method for request in proxy.seen} == {"HEAD"}
    with big.open("r+b") as file:
        file.seek(3 * PART)
        file.write(b"changed")
    obs.upload_file(big, f"obs://{bucket}/", sync=True)

    assert same(big, stored(obs, bucket, local))


def at_once(proxy: FaultProxy, call: Callable[[], None]) -> int:
    """How many parts a call moves at the same time."""
    lock, now, most = threading.Lock(), [0], [0]

    def rule(request: Request) -> None:
        if request.is_part or "range" in request.headers:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.1)
            with lock:
                now[0] -= 1

    proxy.rule = rule
    call()
    proxy.rule = lambda request: None
    return most[0]


def test_files_found_changed_by_sync_are_transferred_in_parallel(
    obs: HuaweiBuckets, bucket: str, local: Path, big: Path, proxy: FaultProxy
):
    obs.upload_file(big, f"obs://{bucket}/")
    big.write_bytes(os.urandom(SIZE))
    (local / "there.bin").write_bytes(bytes(SIZE))

    sent = at_once(proxy, lambda: obs.upload_file(big, f"obs://{bucket}/", sync=True, threads=4))
    fetched = at_once(proxy, lambda: obs.download_file(f"obs://{bucket}/big.bin", "there.bin", sync=True, threads=4))

    assert sent == fetched == 4
    assert same(big, local / "there.bin")
