"""Keys that cannot be file names, or lead out of the bucket."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path

from modelarts._obs.paths import PART
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, keys_in, signed
from tests.support.cases import case
from tests.support.files import contents, put

pytestmark = IGNORED_WARNINGS


OUTSIDE = ("..", "../x", "a/../../x", "a/..", ".", "a/./b", "/etc/passwd", "//x", "a//b", "a\0b", f"a/{PART}x", "../x/")


def test_keys_that_lead_out_of_the_bucket_are_rejected(cloud: CloudClient, bucket: Path):
    outside = contents(bucket.parent)

    for key in OUTSIDE:
        with case(key):
            for method in ("PUT", "GET", "DELETE"):
                assert_obs_error(cloud.send_prepared(signed(cloud, method, bucket.name, key)), 400, "InvalidArgument")
            begin = signed(cloud, "POST", bucket.name, key, {"uploads": None})
            assert_obs_error(cloud.send_prepared(begin), 400, "InvalidArgument")
            assert cloud.send_prepared(signed(cloud, "HEAD", bucket.name, key)).status_code == 400
            listing = signed(cloud, "GET", bucket.name, parameters={"prefix": key})
            assert cloud.send_prepared(listing).status_code == 200
            assert contents(bucket.parent) == outside


def test_links_within_the_bucket_are_files_and_others_are_not_there(client, bucket: Path, local: Path):
    put(local / "secret")
    put(bucket / "epochs" / "3.pt", "weights")
    (bucket / "folder").symlink_to(local)
    (bucket / "outside").symlink_to(local / "secret")
    (bucket / "by name").symlink_to(f"../../{local.name}/secret")
    (bucket / "by link").symlink_to("folder/secret")
    (bucket / "other bucket").symlink_to(put(bucket.parent / "other-bucket" / "key"))
    (bucket / "latest.pt").symlink_to("epochs/3.pt")
    os.mkfifo(bucket / "pipe")

    assert keys_in(client.listObjects(bucket.name)) == ["epochs/3.pt", "latest.pt"]
    assert keys_in(client.listObjects(bucket.name, prefix="folder/")) == []
    assert client.getObject(bucket.name, "latest.pt", loadStreamInMemory=True).body.buffer == b"weights"
    for key in ("folder/secret", "folder/", "outside", "by name", "by link", "other bucket", "pipe"):
        assert client.getObject(bucket.name, key).errorCode == "NoSuchKey", key
        assert client.copyObject(bucket.name, key, bucket.name, "copy").errorCode == "NoSuchKey", key
    for key in ("folder/secret", "folder/"):
        assert client.putContent(bucket.name, key, "").errorCode == "InvalidArgument"
    client.putContent(bucket.name, "outside", "other")
    assert contents(local) == {"secret": b"text"}
    for name in ("folder", "by name", "by link", "other bucket", "pipe"):
        (bucket / name).unlink()
    shutil.rmtree(bucket.parent / "other-bucket")


def test_an_object_and_a_folder_with_the_same_name_are_rejected(client, bucket: Path):
    put(bucket / "object")
    put(bucket / "dir" / "file")
    before = contents(bucket)

    for key in ("dir", "object/below", "object/far/below", "object/"):
        result = client.putContent(bucket.name, key, "")
        assert (result.status, result.errorCode) == (400, "InvalidArgument")
        assert "choose another key" in result.errorMessage
    assert contents(bucket) == before


def test_a_failed_put_keeps_existing_folders(cloud: CloudClient, bucket: Path):
    (bucket / "output" / "of a job").mkdir(parents=True)
    digest = {"Content-MD5": base64.b64encode(bytes(16)).decode()}

    for key in ("output/of a job/file", "output/of a job/new/deep/file", "output/new/file", "new/file"):
        request = signed(cloud, "PUT", bucket.name, key, headers=digest, body=b"text")
        assert_obs_error(cloud.send_prepared(request), 400, "BadDigest")

    assert [*bucket.rglob("*")] == [bucket / "output", bucket / "output" / "of a job"]


def test_too_long_keys_are_rejected(client, bucket: Path):
    for key in ("a" * 256, "中" * 86, "a/" * 512 + "b"):
        assert client.putContent(bucket.name, key, "").errorCode == "KeyTooLongError"
    assert client.putContent(bucket.name, "/".join(["a" * 255] * 4), "").status == 200
