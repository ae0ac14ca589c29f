"""Objects that are copied and appended to, and what can be asked about a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, signed
from tests.support.cases import case
from tests.support.files import contents, put

from obs import AppendObjectContent, CompleteMultipartUploadRequest, CompletePart, CopyObjectHeader  # isort: skip

pytestmark = IGNORED_WARNINGS


def sent(
    cloud: CloudClient, method: str, bucket: Path, key: str = "", parameters: Mapping[str, str | None] | None = None,
    headers: Mapping[str, str] | None = None, body: bytes = b"",
) -> requests.Response:  # fmt: skip
    """The reply to a signed request."""
    return cloud.send_prepared(signed(cloud, method, bucket.name, key, parameters, headers, body))


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


# --- copies


def test_an_object_is_copied_with_its_metadata(client: Any, bucket: Path):
    client.putContent(bucket.name, "a b.txt", "text", metadata={"who": "me"})

    for target in ("copy.txt", "new folder/中 文.txt", "a b.txt"):
        copied = client.copyObject(bucket.name, "a b.txt", bucket.name, target)

        assert (copied.status, copied.body.etag) == (200, etag(b"text")), target
        assert (bucket / target).read_text() == "text", target
        assert dict(client.getObjectMetadata(bucket.name, target).header)["who"] == "me", target


def test_metadata_of_a_copy_can_be_replaced(client: Any, bucket: Path):
    client.putContent(bucket.name, "a", "text", metadata={"who": "me"})

    client.copyObject(bucket.name, "a", bucket.name, "b", {"who": "you"}, CopyObjectHeader(directive="REPLACE"))

    assert dict(client.getObjectMetadata(bucket.name, "b").header)["who"] == "you"


def test_files_of_jobs_and_folders_are_copied(cloud: CloudClient, bucket: Path):
    put(bucket / "by job", "text")
    (bucket / "empty").mkdir()

    for source, target in (("by%20job", "x/copy"), ("empty/", "folder/")):
        reply = sent(cloud, "PUT", bucket, target, headers={"x-amz-copy-source": f"{bucket.name}/{source}"})
        assert reply.status_code == 200, reply.text

    assert (bucket / "x" / "copy").read_text() == "text"
    assert (bucket / "folder").is_dir()


COPIES = [
    ("/{}/nothing", {}, "b", 404, "NoSuchKey"),
    ("/no-such-bucket/a", {}, "b", 404, "NoSuchBucket"),
    ("nothing", {}, "b", 400, "InvalidArgument"),
    ("/{}/a?versionId=1", {}, "b", 501, "NotImplemented"),
    ("/{}/a", {"x-amz-metadata-directive": "MOVE"}, "b", 400, "InvalidArgument"),
    ("/{}/a", {"x-amz-copy-source-if-match": "x"}, "b", 412, "PreconditionFailed"),
    ("/{}/a", {"x-amz-copy-source-if-none-match": etag(b"text")}, "b", 412, "PreconditionFailed"),
    (
        "/{}/a",
        {"x-amz-copy-source-if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        "b",
        412,
        "PreconditionFailed",
    ),
    ("/{}/a", {"x-amz-copy-source-if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}, "b", 412, "PreconditionFailed"),
    ("/{}/a", {}, "a/b", 400, "InvalidArgument"),
    ("/{}/a", {}, "folder/", 400, "InvalidArgument"),
]


def test_a_copy_that_is_not_possible_is_refused_and_changes_nothing(cloud: CloudClient, bucket: Path):
    put(bucket / "a", "text")

    for source, headers, target, status, code in COPIES:
        sending = {"x-amz-copy-source": source.format(bucket.name), **headers}
        with case(source, headers, target):
            assert_obs_error(sent(cloud, "PUT", bucket, target, headers=sending), status, code)
            assert contents(bucket) == {"a": b"text"}


def test_a_copy_is_made_if_the_object_is_as_the_client_knows_it(cloud: CloudClient, bucket: Path):
    put(bucket / "a", "text")
    conditions = {
        "match": etag(b"text"), "none-match": '"x"', "modified-since": "Sat, 01 Jan 2000 00:00:00 GMT",
        "unmodified-since": "Fri, 01 Jan 2100 00:00:00 GMT",
    }  # fmt: skip
    headers = {f"x-amz-copy-source-if-{name}": value for name, value in conditions.items()}

    reply = sent(cloud, "PUT", bucket, "b", headers={"x-amz-copy-source": f"/{bucket.name}/a", **headers})

    assert (reply.status_code, (bucket / "b").read_text()) == (200, "text")


def test_parts_are_copied(client: Any, bucket: Path):
    put(bucket / "a", "0123456789")
    upload = client.initiateMultipartUpload(bucket.name, "b").body.uploadId

    parts = [
        client.copyPart(bucket.name, "b", number, upload, f"{bucket.name}/a", copySourceRange=byte_range).body.etag
        for number, byte_range in ((1, None), (2, "2-4"))
    ]
    wrong = client.copyPart(bucket.name, "b", 3, upload, f"{bucket.name}/a", copySourceRange="5-20")
    client.abortMultipartUpload(bucket.name, "b", upload)

    assert parts == [etag(b"0123456789"), etag(b"234")]
    assert (wrong.status, wrong.errorCode) == (400, "InvalidArgument")


def test_an_upload_of_one_copied_part_can_be_completed(client: Any, bucket: Path):
    put(bucket / "a", "text")
    upload = client.initiateMultipartUpload(bucket.name, "b").body.uploadId
    part = client.copyPart(bucket.name, "b", 1, upload, f"{bucket.name}/a").body

    done = client.completeMultipartUpload(
        bucket.name, "b", upload, CompleteMultipartUploadRequest([CompletePart(1, part.etag)])
    )

    assert done.status == 200
    assert (bucket / "b").read_text() == "text"


# --- appending


def test_content_is_appended_at_the_end(client: Any, bucket: Path):
    positions = []
    for content in ("one", "two", "three"):
        position = positions[-1] if positions else 0
        reply = client.appendObject(bucket.name, "log/a", AppendObjectContent(content, position=position))
        positions.append(int(reply.body.nextPosition))

    head = dict(client.getObjectMetadata(bucket.name, "log/a").header)
    assert positions == [3, 6, 11]
    assert (bucket / "log" / "a").read_text() == "onetwothree"
    assert (head["object-type"], head["next-append-position"]) == ("Appendable", "11")
    assert head["etag"] == etag(b"onetwothree")


def test_a_wrong_position_is_refused(cloud: CloudClient, bucket: Path):
    assert sent(cloud, "POST", bucket, "a", {"append": None, "position": "0"}, body=b"one").status_code == 200

    for position in ("0", "2", "9999999999"):
        reply = sent(cloud, "POST", bucket, "a", {"append": None, "position": position}, body=b"two")
        assert "must be 3" in assert_obs_error(reply, 409, "PositionNotEqualToLength")
    assert_obs_error(sent(cloud, "POST", bucket, "a", {"append": None}, body=b"two"), 400, "InvalidArgument")
    assert contents(bucket) == {"a": b"one"}


def test_nothing_is_appended_to_other_objects(cloud: CloudClient, client: Any, bucket: Path):
    put(bucket / "by job", "one")
    client.putContent(bucket.name, "put", "one")
    client.appendObject(bucket.name, "appended", AppendObjectContent("one", position=0))
    client.copyObject(bucket.name, "appended", bucket.name, "copied")

    for key in ("by job", "put", "copied"):
        reply = sent(cloud, "POST", bucket, key, {"append": None, "position": "3"}, body=b"two")
        assert_obs_error(reply, 409, "ObjectNotAppendable")
    assert set(contents(bucket).values()) == {b"one"}


# --- buckets


@pytest.mark.parametrize(("dialect", "root"), [("obs", "Location"), ("v2", "CreateBucketConfiguration")])
def test_the_location_of_a_bucket(cloud: CloudClient, bucket: Path, dialect: str, root: str):
    request = signed(cloud, "GET", bucket.name, parameters={"location": None}, dialect=dialect)

    reply = cloud.send_prepared(request)

    assert reply.status_code == 200
    assert f"<{root} xmlns" in reply.text
    assert f">{cloud.address.region_name}</Location" in reply.text


def test_bucket_and_objects_belong_to_the_account_alone(cloud: CloudClient, client: Any, bucket: Path):
    put(bucket / "a", "text")

    assert client.getBucketLocation(bucket.name).body.location == cloud.address.region_name
    for reply in (client.getBucketAcl(bucket.name), client.getObjectAcl(bucket.name, "a")):
        (grant,) = reply.body.grants
        assert reply.body.owner.owner_id == grant.grantee.grantee_id == cloud.account.domain_id
        assert grant.permission == "FULL_CONTROL"


@pytest.mark.parametrize(("parameter", "key", "code"), [
    ("location", "", "NoSuchBucket"), ("acl", "", "NoSuchBucket"), ("acl", "a", "NoSuchBucket"),
])  # fmt: skip
def test_what_does_not_exist_has_no_location_and_no_acl(cloud: CloudClient, parameter: str, key: str, code: str):
    request = signed(cloud, "GET", "no-such-bucket", key, {parameter: None})

    assert_obs_error(cloud.send_prepared(request), 404, code)
