"""Buckets over HTTP are the folders of the local service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import PART
from modelarts._obs.transfer.part_file import PartFile
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.metadata import MetadataStore
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.obs_requests import IGNORED_WARNINGS
from tests.support.files import contents, put

pytestmark = IGNORED_WARNINGS


def test_buckets_are_created_found_and_removed(client, session: Session, iam_home: Path):
    folder = LocalHome.of(iam_home).buckets / "another"
    statuses = [client.headBucket("another").status]
    statuses += [client.createBucket("another", location="cn-north-4").status for _ in range(2)]
    assert folder.is_dir()
    found = client.listBuckets().body.buckets
    statuses += [client.headBucket("another").status, client.deleteBucket("another").status]

    assert statuses == [404, 200, 200, 200, 204]
    assert ("another", "cn-north-4") in [(bucket.name, bucket.location) for bucket in found]
    assert not folder.exists()


def test_invalid_buckets_are_rejected(client, bucket: Path):
    def code(result: Any) -> tuple[int, str]:
        return result.status, result.errorCode

    put(bucket / "file")
    assert code(client.createBucket("Not_A_Bucket")) == (400, "InvalidBucketName")
    assert code(client.createBucket("v3.0")) == (400, "InvalidBucketName")
    assert code(client.createBucket("elsewhere", location="cn-east-3")) == (400, "InvalidLocationConstraint")
    assert code(client.deleteBucket(bucket.name)) == (409, "BucketNotEmpty")
    assert code(client.deleteBucket("nowhere")) == (404, "NoSuchBucket")
    assert code(client.putContent("nowhere", "key", "text")) == (404, "NoSuchBucket")
    assert code(client.listObjects("nowhere")) == (404, "NoSuchBucket")
    assert code(client.listObjects("..")) == (404, "NoSuchBucket")


@pytest.mark.parametrize("name", [b"result\xff.pt", b"deep/\xff/result.pt", b"to nothing"])
def test_a_bucket_with_unlisted_files_is_not_removed(client, bucket: Path, name: bytes):
    file = bucket / os.fsdecode(name)
    file.symlink_to("nothing") if name == b"to nothing" else put(file)
    put(bucket / "folder" / f"{PART}x")

    result = client.deleteBucket(bucket.name)

    assert (result.status, result.errorCode) == (409, "BucketNotEmpty")
    assert os.path.lexists(file)
    file.unlink()


def test_an_object_added_while_its_bucket_is_removed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = ObjectStore(tmp_path / "buckets", MetadataStore(tmp_path / "metadata"), "region", "owner")
    file = tmp_path / "buckets" / "bucket" / "b" / "file"
    (file.parent.parent / "a").mkdir(parents=True)
    rmdir = Path.rmdir
    monkeypatch.setattr(Path, "rmdir", lambda place: (put(file), rmdir(place)))

    with pytest.raises(ObsApiError, match="just added"):
        store.remove_bucket("bucket")

    assert file.read_text() == "text"


def test_a_bucket_with_an_upload_in_progress_is_not_removed(client, bucket: Path):
    part_file = PartFile(bucket / "file")

    assert client.deleteBucket(bucket.name).errorCode == "BucketNotEmpty"
    part_file.put_in_place()
    assert contents(bucket) == {"file": b""}


def test_a_session_works_on_the_same_folders_as_local_ones(session: Session, bucket: Path, local: Path, iam_home: Path):
    offline = LocalBuckets(LocalHome.of(iam_home).buckets)
    place = f"obs://{bucket.name}"
    put(local / "data" / "deep" / "a.txt", "1")

    session.obs.upload_dir(local / "data", place)
    offline.upload_file(put(local / "b.txt", "2"), f"{place}/data/")

    for obs in (session.obs, offline):
        assert [item.url for item in obs.list(place, recursive=True)] == [
            f"{place}/data/b.txt", f"{place}/data/deep/a.txt",
        ]  # fmt: skip
        assert {item.url for item in obs.list(f"{place}/data")} == {f"{place}/data/b.txt", f"{place}/data/deep/"}
        assert obs.exists(f"{place}/data") and not obs.exists(f"{place}/dat")
    offline.delete(f"{place}/data/deep/a.txt")
    assert contents(bucket) == {"data/b.txt": b"2"}
