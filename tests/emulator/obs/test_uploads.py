"""Multipart uploads: parts are listed, replaced, joined or discarded."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from modelarts._obs.cloud.checksums import PART_SIZE
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.obs_requests import IGNORED_WARNINGS
from tests.support.files import contents, put

pytestmark = IGNORED_WARNINGS


MIB = 1 << 20


def test_a_large_file_is_transferred_in_parts_and_ranges(session: Session, client, bucket: Path, local: Path):
    size = 17 * MIB + 123
    put(local / "big.bin", os.urandom(size))
    place = f"obs://{bucket.name}/deep/"

    session.obs.upload_file(local / "big.bin", place)
    session.obs.download_file(f"{place}big.bin", local / "back.bin")

    assert (bucket / "deep" / "big.bin").read_bytes() == (local / "big.bin").read_bytes()
    assert (local / "back.bin").read_bytes() == (local / "big.bin").read_bytes()
    etag = client.getObjectMetadata(bucket.name, "deep/big.bin").body.etag
    assert etag.strip('"').endswith(f"-{math.ceil(size / PART_SIZE)}")
    written = (bucket / "deep" / "big.bin").stat().st_mtime_ns
    session.obs.upload_file(local / "big.bin", place, sync=True)
    assert (bucket / "deep" / "big.bin").stat().st_mtime_ns == written


def test_parts_are_listed_replaced_and_joined(client, bucket: Path):
    upload = client.initiateMultipartUpload(bucket.name, "parts", metadata={"who": "me"}).body.uploadId
    pieces = {number: os.urandom(200_000) for number in (1, 2, 10)}
    etags = {n: client.uploadPart(bucket.name, "parts", n, upload, content=c).body.etag for n, c in pieces.items()}
    pieces[2] = b"last" * 50_000
    etags[2] = client.uploadPart(bucket.name, "parts", 2, upload, content=pieces[2]).body.etag

    first = client.listParts(bucket.name, "parts", upload, maxParts=2).body
    rest = client.listParts(bucket.name, "parts", upload, partNumberMarker=first.nextPartNumberMarker).body

    listed = [*first.parts, *rest.parts]
    assert {part.partNumber: (part.etag, part.size) for part in listed} == {n: (etags[n], 200_000) for n in etags}
    assert (first.isTruncated, rest.isTruncated) == (True, False)
    assert contents(bucket) == {}
    done = _complete(client, bucket, upload, list(etags.items()))
    assert done.status == 200
    assert contents(bucket) == {"parts": pieces[1] + pieces[2] + pieces[10]}
    found = client.getObjectMetadata(bucket.name, "parts")
    assert (found.body.etag, dict(found.header)["who"]) == (done.body.etag, "me")
    assert client.listParts(bucket.name, "parts", upload).errorCode == "NoSuchUpload"


def test_incomplete_uploads_cannot_be_completed(client, bucket: Path):
    upload = client.initiateMultipartUpload(bucket.name, "parts").body.uploadId
    etags = {
        number: client.uploadPart(bucket.name, "parts", number, upload, content=bytes(size)).body.etag
        for number, size in ((1, 200_000), (2, 10), (3, 10))
    }

    def code(parts: list[tuple[int, str]], upload_id: str = upload) -> str:
        return str(_complete(client, bucket, upload_id, parts).errorCode)

    assert code([(1, etags[1]), (2, etags[2]), (3, etags[3])]) == "EntityTooSmall"
    assert code([(1, etags[2])]) == code([(4, etags[1])]) == "InvalidPart"
    assert code([(1, etags[1]), (1, etags[1])]) == "InvalidPartOrder"
    assert code([]) == "MalformedXML"
    for other in ("0" * 32, "../" + upload, "x"):
        assert code([(1, etags[1])], other) == "NoSuchUpload"
    assert client.uploadPart(bucket.name, "other", 1, upload, content=b"").errorCode == "NoSuchUpload"
    assert client.uploadPart(bucket.name, "parts", 10_001, upload, content=b"").errorCode == "InvalidArgument"
    assert code([(1, etags[1]), (3, etags[3])]) == "None"
    assert (bucket / "parts").stat().st_size == 200_010


@pytest.mark.parametrize("most", [None, 1, 2])
def test_unfinished_uploads_are_listed_page_by_page(client, bucket: Path, most: int | None):
    from obs import ListMultipartUploadsRequest

    begun = [(key, client.initiateMultipartUpload(bucket.name, key).body.uploadId) for key in ("b/😀", "b/1", "a", "a")]
    begun.append(("b/\1", client.initiateMultipartUpload(bucket.name, "b/\1").body.uploadId))

    def listed(prefix: str | None) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        key = upload_id = None
        while True:
            request = ListMultipartUploadsRequest(
                prefix=prefix, max_uploads=most, key_marker=key, upload_id_marker=upload_id
            )
            body = client.listMultipartUploads(bucket.name, request, encoding_type="url").body
            found += [(upload.key, upload.uploadId) for upload in body.upload]
            if not body.isTruncated:
                return found
            assert len(body.upload) == most
            key, upload_id = body.nextKeyMarker, body.nextUploadIdMarker

    assert listed(None) == sorted(begun)
    assert listed("b/") == sorted(begun)[2:]
    after = client.listMultipartUploads(bucket.name, ListMultipartUploadsRequest(key_marker="a"), encoding_type="url")
    assert [upload.key for upload in after.body.upload] == ["b/\1", "b/1", "b/😀"]
    assert client.listMultipartUploads("nowhere").errorCode == "NoSuchBucket"


def test_a_recursive_delete_aborts_uploads_which_keep_the_bucket_until_then(client, session: Session, bucket: Path):
    uploads = {key: client.initiateMultipartUpload(bucket.name, key).body.uploadId for key in ("dir/file", "other")}

    result = client.deleteBucket(bucket.name)
    put(bucket / "dir" / "there")
    session.obs.delete(f"obs://{bucket.name}/dir/", recursive=True)

    assert (result.status, result.errorCode) == (409, "BucketNotEmpty")
    statuses = {key: client.listParts(bucket.name, key, upload).status for key, upload in uploads.items()}
    assert statuses == {"dir/file": 404, "other": 200}


def test_an_aborted_upload_leaves_nothing(client, bucket: Path, iam_home: Path):
    upload = client.initiateMultipartUpload(bucket.name, "parts").body.uploadId
    client.uploadPart(bucket.name, "parts", 1, upload, content=b"text")

    statuses = [client.abortMultipartUpload(bucket.name, "parts", upload).status for _ in range(2)]

    assert statuses == [204, 404]
    assert not [file for file in LocalHome.of(iam_home).obs.joinpath(bucket.name).rglob("*") if file.is_file()]


def _complete(client: Any, bucket: Path, upload: str, parts: list[tuple[int, str]]) -> Any:
    from obs import CompleteMultipartUploadRequest, CompletePart

    request = CompleteMultipartUploadRequest([CompletePart(number, etag) for number, etag in parts])
    return client.completeMultipartUpload(bucket.name, "parts", upload, request)
