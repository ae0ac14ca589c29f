"""Bodies are written to disk while they are received, and become objects when they are complete."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from modelarts._obs.paths import PART
from modelarts._obs.transfer.part_file import PartFile
from modelarts.local import daemon
from modelarts.local.emulator.obs.metadata import Metadata, MetadataStore
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.request_body import new_part_file
from modelarts.local.paths import LocalHome
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs.in_process import put_in_process
from tests.emulator.obs_requests import IGNORED_WARNINGS, signed
from tests.support.files import contents, put
from tests.support.jobs import until

pytestmark = IGNORED_WARNINGS


MIB = 1 << 20


def test_a_large_body_is_not_kept_in_memory_and_an_interrupted_one_leaves_no_file(
    cloud: CloudClient, bucket: Path, iam_home: Path
):
    service = psutil.Process(daemon.find(iam_home).pid)
    size, before = 32 * MIB, service.memory_info().rss
    peak = [before]
    request = signed(cloud, "PUT", bucket.name, "dir/large")
    request.headers["Content-Length"] = str(size)
    request.body = _pieces(size, lambda: peak.append(service.memory_info().rss))
    broken = signed(cloud, "PUT", bucket.name, "broken/large")
    broken.headers["Content-Length"] = str(size)
    broken.body = _pieces(2 * MIB, lambda: until((bucket / "broken").exists), fails=True)

    assert cloud.send_prepared(request).status_code == 200
    with pytest.raises(requests.ConnectionError):
        cloud.send_prepared(broken)

    assert (bucket / "dir" / "large").stat().st_size == size
    assert max(peak) - before < 12 * MIB
    until(lambda: not (bucket / "broken").exists())


def test_a_starting_service_removes_incomplete_files_that_are_not_locked(tmp_path: Path):
    home = LocalHome.of(tmp_path)
    abandoned = [put(home.buckets / "bucket" / "a" / f"{PART}abc123"), put(home.obs / "bucket" / f"{PART}def456")]
    abandoned.append(put(home.buckets / "bucket" / f"{PART}abc123-folder" / "sub" / "file"))
    kept = put(home.buckets / "bucket" / "file")
    part_file = PartFile(home.buckets / "bucket" / "other")
    try:
        daemon.ensure(tmp_path, daemon.CloudOptions())
        assert not any(file.exists() for file in abandoned) and not abandoned[-1].parents[1].exists()
        assert part_file.path.exists() and kept.exists()
    finally:
        daemon.stop(tmp_path)
        part_file.remove()


def test_an_object_appears_when_it_is_complete(cloud: CloudClient, bucket: Path):
    put(bucket / "file", "old")
    reached, go_on = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield b"ne"
        reached.set()
        go_on.wait(10)
        yield b"w"

    request = signed(cloud, "PUT", bucket.name, "file")
    request.headers["Content-Length"], request.body = "3", body()
    sending = threading.Thread(target=cloud.send_prepared, args=(request,))
    sending.start()
    reached.wait(10)
    seen = (bucket / "file").read_text()
    go_on.set()
    sending.join(10)

    assert (seen, contents(bucket)) == ("old", {"file": b"new"})


def test_a_body_may_be_sent_in_chunks(cloud: CloudClient, bucket: Path):
    chunked = signed(cloud, "PUT", bucket.name, "chunked")
    del chunked.headers["Content-Length"]
    chunked.headers["Transfer-Encoding"] = "chunked"
    chunked.body = iter([b"in ", b"pieces"])

    assert cloud.send_prepared(chunked).status_code == 200
    assert contents(bucket) == {"chunked": b"in pieces"}


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_the_mode_of_objects_follows_the_umask(tmp_path: Path, mask: int, mode: int):
    before = os.umask(mask)
    try:
        with new_part_file(tmp_path) as (path, _):
            store = ObjectStore(tmp_path, MetadataStore(tmp_path / "metadata"), "region", "owner")
            (tmp_path / "bucket").mkdir()
            store.put("bucket", "key", path, Metadata())
    finally:
        os.umask(before)

    assert (tmp_path / "bucket" / "key").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("length", "status", "code"), [(str((5 << 30) + 1), 400, b"EntityTooLarge"), (None, 411, b"MissingContentLength")]
)
def test_a_body_needs_a_length_within_the_limit(cloud: CloudClient, tmp_path: Path, length, status, code):
    found, message = put_in_process(cloud, tmp_path / "home", length)

    assert (found, b"<Code>%b</Code>" % code in message) == (status, True)
    assert contents(tmp_path / "home") == {}


def _pieces(size: int, act: Any, fails: bool = False) -> Iterator[bytes]:
    for _ in range(size // MIB):
        act()
        yield bytes(MIB)
    if fails:
        raise ConnectionAbortedError
