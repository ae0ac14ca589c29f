"""Buckets over HTTP are the folders of the local service; the client is the one of the cloud."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
import requests
from werkzeug.test import EnvironBuilder, run_wsgi_app

from modelarts._obs.checksums import PART_SIZE
from modelarts._obs.local import LocalBuckets
from modelarts._obs.partial import Partial
from modelarts._obs.paths import PART
from modelarts.errors import ObsError
from modelarts.local import daemon
from modelarts.local.app import Activity
from modelarts.local.iam.obs.app import ObsApp
from modelarts.local.iam.obs.incoming import new_file
from modelarts.local.iam.obs.notes import Note, Notes
from modelarts.local.iam.obs.refusals import ObsRefusal
from modelarts.local.iam.obs.shelf import Shelf
from modelarts.local.iam.obs.signatures import Gate
from modelarts.local.iam.tokens import Tokens
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.iam.cloud import IGNORED, environment, refused, signed
from tests.iam.signing import Caller
from tests.support.jobs import until

pytestmark = IGNORED
MIB = 1 << 20
NAMES = ["a b.txt", "中文.txt", "😀.txt", "50%.txt", "a+b.txt", "%2F", "q?x=1&y#z", "~'\"<&>.txt", "..hidden", "tab\t"]

_numbers = itertools.count(1)


@pytest.fixture
def session(caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    for name, value in environment(caller).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "client"))
    account = caller.account
    login = {"access_key": account.access_key, "secret_key": account.secret_key, "project_id": account.project_id}
    with Session(**login) as opened:
        yield opened


@pytest.fixture
def client(session: Session) -> Any:
    """The client of OBS that is not ours."""
    return session.get_obs_client()


@pytest.fixture
def bucket(session: Session, iam_home: Path) -> Iterator[Path]:
    """The folder of a bucket of this test's own; it is removed over HTTP."""
    name = f"bucket-{next(_numbers)}"
    session.obs.create_bucket(name)
    yield LocalHome.of(iam_home).buckets / name
    session.obs.delete(f"obs://{name}/", recursive=True)
    session.obs.delete_bucket(name)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    place = tmp_path / "files"
    place.mkdir()
    return place


def put(file: Path, content: str | bytes = "text") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def keys(result: Any) -> list[str]:
    return [found.key for found in result.body.contents]


# --- buckets


def test_buckets_are_made_found_and_removed(client, session: Session, iam_home: Path):
    folder = LocalHome.of(iam_home).buckets / "another"
    statuses = [client.headBucket("another").status]
    statuses += [client.createBucket("another", location="cn-north-4").status for _ in range(2)]
    assert folder.is_dir()
    found = client.listBuckets().body.buckets
    statuses += [client.headBucket("another").status, client.deleteBucket("another").status]

    assert statuses == [404, 200, 200, 200, 204]
    assert ("another", "cn-north-4") in [(bucket.name, bucket.location) for bucket in found]
    assert not folder.exists()


def test_buckets_that_cannot_be_are_refused(client, bucket: Path):
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
def test_a_bucket_is_not_removed_with_what_no_list_shows(client, bucket: Path, name: bytes):
    file = bucket / os.fsdecode(name)
    file.symlink_to("nothing") if name == b"to nothing" else put(file)
    put(bucket / "folder" / f"{PART}x")

    result = client.deleteBucket(bucket.name)

    assert (result.status, result.errorCode) == (409, "BucketNotEmpty")
    assert os.path.lexists(file)
    file.unlink()


def test_what_is_put_into_a_bucket_while_it_is_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shelf = Shelf(tmp_path / "buckets", Notes(tmp_path / "notes"), "region", "owner")
    file = tmp_path / "buckets" / "bucket" / "b" / "file"
    (file.parent.parent / "a").mkdir(parents=True)
    rmdir = Path.rmdir
    monkeypatch.setattr(Path, "rmdir", lambda place: (put(file), rmdir(place)))

    with pytest.raises(ObsRefusal, match="just been put"):
        shelf.remove_bucket("bucket")

    assert file.read_text() == "text"


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
    assert tree(bucket) == {"data/b.txt": b"2"}


# --- objects


def test_odd_names_and_empty_files_go_there_and_back(session: Session, bucket: Path, local: Path):
    for name in NAMES:
        put(local / "odd" / name / name, name)
    put(local / "odd" / "empty", "")

    session.obs.upload_dir(local / "odd", f"obs://{bucket.name}/x y/")
    session.obs.download_dir(f"obs://{bucket.name}/x y/odd/", local / "back")

    assert tree(bucket / "x y" / "odd") == tree(local / "odd") == tree(local / "back" / "odd")
    items = session.obs.list(f"obs://{bucket.name}/", recursive=True)
    assert {item.path.key for item in items} == {f"x y/odd/{name}" for name in tree(local / "odd")}


def test_an_object_has_its_etag_its_time_and_its_own_headers(client, bucket: Path):
    sent = client.putContent(bucket.name, "a/b", "text", metadata={"who": "我 & you"})
    found = client.getObjectMetadata(bucket.name, "a/b")
    (listed,) = client.listObjects(bucket.name).body.contents

    etag = f'"{hashlib.md5(b"text").hexdigest()}"'
    assert {sent.body.etag, found.body.etag, listed.etag} == {etag}
    assert found.body.contentLength == listed.size == 4
    assert dict(found.header)["who"] == "我 & you"
    client.putContent(bucket.name, "a/b", "other")
    assert "who" not in dict(client.getObjectMetadata(bucket.name, "a/b").header)


def test_what_jobs_write_has_an_etag_that_changes_with_it(client, session: Session, bucket: Path, local: Path):
    def etag(name: str) -> str:
        return str(client.getObjectMetadata(bucket.name, name).body.etag)

    put(bucket / "small", "1")
    put(bucket / "large", os.urandom(9 * MIB))
    before = etag("small"), etag("large")
    session.obs.download_dir(f"obs://{bucket.name}/", local)
    put(bucket / "small", "2")
    put(bucket / "large", os.urandom(9 * MIB))

    assert before[0] == f'"{hashlib.md5(b"1").hexdigest()}"'
    assert etag("small") == f'"{hashlib.md5(b"2").hexdigest()}"'
    assert etag("large") != before[1] and len(etag("large")) > 34  # no MD5, and it does not look like one
    assert len(tree(local)) == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0-0", b"0"), ("2-4", b"234"), ("5-", b"56789"), ("-3", b"789"), ("8-100", b"89"), ("0-9", b"0123456789")],
)
def test_ranges(caller: Caller, bucket: Path, given: str, expected: bytes):
    put(bucket / "digits", "0123456789")

    reply = caller.send_prepared(signed(caller, "GET", bucket.name, "digits", headers={"Range": f"bytes={given}"}))

    start = b"0123456789".index(expected)
    assert (reply.status_code, reply.content) == (206, expected)
    assert reply.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/10"


@pytest.mark.parametrize("given", ["10-", "0-1,3-4"])
def test_ranges_that_cannot_be_answered(caller: Caller, bucket: Path, given: str):
    put(bucket / "digits", "0123456789")

    call = signed(caller, "GET", bucket.name, "digits", headers={"Range": f"bytes={given}"})

    refused(caller.send_prepared(call), 416, "InvalidRange")


def test_what_is_not_there(client, bucket: Path):
    put(bucket / "dir" / "file")

    for key in ("nothing", "dir", "dir/", "dir/file/below", "dir/file/"):
        assert client.getObjectMetadata(bucket.name, key).status == 404
        assert client.getObject(bucket.name, key).errorCode == "NoSuchKey"
        assert client.deleteObject(bucket.name, key).status == 204
    assert tree(bucket) == {"dir/file": b"text"}


def test_folders_are_objects_when_they_were_made_so(client, session: Session, bucket: Path):
    place = f"obs://{bucket.name}"
    session.obs.create_directory(f"{place}/made/deep/")
    client.putContent(bucket.name, "made/deep/file", "")
    client.putContent(bucket.name, "grown/file", "")

    assert keys(client.listObjects(bucket.name)) == ["grown/file", "made/deep/", "made/deep/file"]
    assert client.getObjectMetadata(bucket.name, "made/deep/").body.contentLength == 0
    session.obs.delete(f"{place}/made/deep/file")
    session.obs.delete(f"{place}/grown/file")
    assert [session.obs.exists(f"{place}/{name}/") for name in ("made/deep", "grown")] == [True, False]
    assert client.putContent(bucket.name, "full/", "text").errorCode == "InvalidArgument"


def test_several_objects_are_deleted_at_once(client, caller: Caller, bucket: Path):
    for name in ("a", "b &", "c/d", "kept"):
        put(bucket / name)
    names = ["a", "b &", "c/d", "never", "../kept"]
    body = ElementTree.Element("Delete")
    for name in names:
        ElementTree.SubElement(ElementTree.SubElement(body, "Object"), "Key").text = name

    def send(content: bytes, checksum: bool = True) -> Any:
        digest = {"Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode()} if checksum else {}
        call = signed(caller, "POST", bucket.name, "", {"delete": None}, headers=digest, body=content)
        return caller.send_prepared(call)

    reply = ElementTree.fromstring(send(ElementTree.tostring(body)).content)

    space = "{http://obs.myhwclouds.com/doc/2015-06-30/}"
    assert [found.text for found in reply.findall(f"{space}Deleted/{space}Key")] == names[:-1]
    assert reply.findtext(f"{space}Error/{space}Key") == "../kept"
    assert tree(bucket) == {"kept": b"text"} and not (bucket / "c").exists()
    refused(send(b"<Delete/>"), 400, "MalformedXML")
    refused(send(b"<Delete>"), 400, "MalformedXML")
    refused(send(b"<!DOCTYPE x []><Delete/>"), 400, "MalformedXML")
    refused(send(ElementTree.tostring(body), checksum=False), 400, "MissingRequiredHeader")


# --- keys that are no names of files


@pytest.mark.parametrize(
    "key",
    ["..", "../x", "a/../../x", "a/..", ".", "a/./b", "/etc/passwd", "//x", "a//b", "a\0b", f"a/{PART}x", "../x/"],
)
def test_keys_that_would_lead_elsewhere_are_refused(caller: Caller, bucket: Path, key: str):
    outside = tree(bucket.parent)

    for method in ("PUT", "GET", "DELETE"):
        refused(caller.send_prepared(signed(caller, method, bucket.name, key)), 400, "InvalidArgument")
    begin = signed(caller, "POST", bucket.name, key, {"uploads": None})
    refused(caller.send_prepared(begin), 400, "InvalidArgument")
    assert caller.send_prepared(signed(caller, "HEAD", bucket.name, key)).status_code == 400
    assert caller.send_prepared(signed(caller, "GET", bucket.name, parameters={"prefix": key})).status_code == 200
    assert tree(bucket.parent) == outside


def test_links_to_folders_are_not_followed_and_those_to_files_are(client, bucket: Path, local: Path):
    put(local / "secret")
    (bucket / "folder").symlink_to(local)
    (bucket / "file").symlink_to(local / "secret")

    assert keys(client.listObjects(bucket.name)) == keys(client.listObjects(bucket.name, prefix="f")) == ["file"]
    assert keys(client.listObjects(bucket.name, prefix="folder/")) == []
    for key in ("folder/secret", "folder/"):
        assert client.getObject(bucket.name, key).errorCode == "InvalidArgument"
        assert client.putContent(bucket.name, key, "").errorCode == "InvalidArgument"
    client.putContent(bucket.name, "file", "other")
    assert tree(local) == {"secret": b"text"}
    (bucket / "folder").unlink()


def test_an_object_and_a_folder_of_one_name_are_refused(client, bucket: Path):
    put(bucket / "object")
    put(bucket / "dir" / "file")
    before = tree(bucket)

    for key in ("dir", "object/below", "object/far/below", "object/"):
        result = client.putContent(bucket.name, key, "")
        assert (result.status, result.errorCode) == (400, "InvalidArgument")
        assert "take another key" in result.errorMessage
    assert tree(bucket) == before


def test_a_put_that_fails_leaves_the_folders_that_were_there(caller: Caller, bucket: Path):
    (bucket / "output" / "of a job").mkdir(parents=True)
    digest = {"Content-MD5": base64.b64encode(bytes(16)).decode()}

    for key in ("output/of a job/file", "output/of a job/new/deep/file", "output/new/file", "new/file"):
        call = signed(caller, "PUT", bucket.name, key, headers=digest, body=b"text")
        refused(caller.send_prepared(call), 400, "BadDigest")

    assert [*bucket.rglob("*")] == [bucket / "output", bucket / "output" / "of a job"]


def test_keys_that_are_too_long_are_refused(client, bucket: Path):
    for key in ("a" * 256, "中" * 86, "a/" * 512 + "b"):
        assert client.putContent(bucket.name, key, "").errorCode == "KeyTooLongError"
    assert client.putContent(bucket.name, "/".join(["a" * 255] * 4), "").status == 200


# --- lists


def test_a_list_of_many_objects_comes_page_by_page(session: Session, client, bucket: Path):
    names = [f"{number % 7}/{number:04d}" for number in range(2345)] + ["1-a", "1.a", "10"]
    for name in names:
        put(bucket / name, "")

    items = session.obs.list(f"obs://{bucket.name}/", recursive=True)
    page = client.listObjects(bucket.name, max_keys=1000)

    assert [item.path.key for item in items] == sorted(names)
    assert (page.body.is_truncated, page.body.next_marker, len(page.body.contents)) == (True, keys(page)[-1], 1000)


@pytest.mark.parametrize("most", [1, 2, 1000])
@pytest.mark.parametrize(
    ("prefix", "delimiter", "expected"),
    [
        (None, None, ["a", "b!", "b/c", "b/d/e", "b0", "中/x", "😀"]),
        (None, "/", ["a", "b!", "b/", "b0", "中/", "😀"]),
        ("b", None, ["b!", "b/c", "b/d/e", "b0"]),
        ("b/", "/", ["b/c", "b/d/"]),
        ("b/d", "/", ["b/d/"]),
        ("b/d/", "/", ["b/d/e"]),
        ("b", "d", ["b!", "b/c", "b/d", "b0"]),
        ("中", "/", ["中/"]),
        ("x", "/", []),
        ("a/", "/", []),
    ],
)
def test_lists_have_the_order_of_keys_prefixes_and_delimiters(client, bucket: Path, prefix, delimiter, expected, most):
    for name in ("a", "b!", "b/c", "b/d/e", "b0", "中/x", "😀"):
        put(bucket / name, "")
    put(bucket / "b" / f"{PART}x")
    (bucket / os.fsdecode(b"no text \xff")).touch()
    found: list[str] = []
    marker = None

    while True:
        body = client.listObjects(
            bucket.name, prefix=prefix, delimiter=delimiter, marker=marker, max_keys=most, encoding_type="url"
        ).body
        found += sorted([one.key for one in body.contents] + [one.prefix for one in body.commonPrefixs])
        if not body.is_truncated:
            break
        marker = body.next_marker

    assert found == expected
    (bucket / "b" / f"{PART}x").unlink()
    (bucket / os.fsdecode(b"no text \xff")).unlink()


def test_a_list_that_cannot_be_is_refused(caller: Caller, bucket: Path):
    for parameters in ({"max-keys": "-1"}, {"max-keys": "x"}, {"max-keys": "1" * 9999}, {"encoding-type": "base64"}):
        refused(caller.send_prepared(signed(caller, "GET", bucket.name, "", parameters)), 400, "InvalidArgument")


# --- large objects


def test_a_large_file_goes_in_parts_and_comes_in_ranges(session: Session, client, bucket: Path, local: Path):
    size = 33 * MIB + 123
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


def test_parts_are_listed_replaced_and_put_together(client, bucket: Path):
    upload = client.initiateMultipartUpload(bucket.name, "parts", metadata={"who": "me"}).body.uploadId
    contents = {number: os.urandom(200_000) for number in (1, 2, 10)}
    etags = {n: client.uploadPart(bucket.name, "parts", n, upload, content=c).body.etag for n, c in contents.items()}
    contents[2] = b"last" * 50_000
    etags[2] = client.uploadPart(bucket.name, "parts", 2, upload, content=contents[2]).body.etag

    first = client.listParts(bucket.name, "parts", upload, maxParts=2).body
    rest = client.listParts(bucket.name, "parts", upload, partNumberMarker=first.nextPartNumberMarker).body

    listed = [*first.parts, *rest.parts]
    assert {part.partNumber: (part.etag, part.size) for part in listed} == {n: (etags[n], 200_000) for n in etags}
    assert (first.isTruncated, rest.isTruncated) == (True, False)
    assert tree(bucket) == {}
    done = _complete(client, bucket, upload, list(etags.items()))
    assert done.status == 200
    assert tree(bucket) == {"parts": contents[1] + contents[2] + contents[10]}
    found = client.getObjectMetadata(bucket.name, "parts")
    assert (found.body.etag, dict(found.header)["who"]) == (done.body.etag, "me")
    assert client.listParts(bucket.name, "parts", upload).errorCode == "NoSuchUpload"


def test_uploads_that_cannot_be_completed_are_refused(client, bucket: Path):
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


def test_a_recursive_delete_ends_uploads_and_before_that_the_bucket_stays(client, session: Session, bucket: Path):
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


def test_a_large_body_is_not_held_in_memory_and_one_that_breaks_off_leaves_nothing(
    caller: Caller, bucket: Path, iam_home: Path
):
    service = psutil.Process(daemon.find(iam_home).pid)
    size, before = 200 * MIB, service.memory_info().rss
    peak = [before]
    call = signed(caller, "PUT", bucket.name, "dir/large")
    call.headers["Content-Length"] = str(size)
    call.body = _pieces(size, lambda: peak.append(service.memory_info().rss))
    broken = signed(caller, "PUT", bucket.name, "broken/large")
    broken.headers["Content-Length"] = str(size)
    broken.body = _pieces(2 * MIB, lambda: until((bucket / "broken").exists), fails=True)

    assert caller.send_prepared(call).status_code == 200
    with pytest.raises(requests.ConnectionError):
        caller.send_prepared(broken)

    assert (bucket / "dir" / "large").stat().st_size == size
    assert max(peak) - before < 40 * MIB
    until(lambda: not (bucket / "broken").exists())


def test_a_service_removes_what_was_left_when_it_starts_but_not_what_is_held(tmp_path: Path):
    home = LocalHome.of(tmp_path)
    abandoned = [put(home.buckets / "bucket" / "a" / f"{PART}abc123"), put(home.obs / "bucket" / f"{PART}def456")]
    kept = put(home.buckets / "bucket" / "file")
    held = Partial(home.buckets / "bucket" / "other")
    try:
        daemon.ensure(tmp_path, daemon.AsCloud())
        assert not any(file.exists() for file in abandoned)
        assert held.path.exists() and kept.exists()
    finally:
        daemon.stop(tmp_path)
        held.remove()


def test_a_bucket_in_which_a_file_is_being_written_stays(client, bucket: Path):
    held = Partial(bucket / "file")

    assert client.deleteBucket(bucket.name).errorCode == "BucketNotEmpty"
    held.put_in_place()
    assert tree(bucket) == {"file": b""}


def test_an_object_appears_when_it_is_whole(caller: Caller, bucket: Path):
    put(bucket / "file", "old")
    reached, go_on = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield b"ne"
        reached.set()
        go_on.wait(10)
        yield b"w"

    call = signed(caller, "PUT", bucket.name, "file")
    call.headers["Content-Length"], call.body = "3", body()
    sending = threading.Thread(target=caller.send_prepared, args=(call,))
    sending.start()
    reached.wait(10)
    seen = (bucket / "file").read_text()
    go_on.set()
    sending.join(10)

    assert (seen, tree(bucket)) == ("old", {"file": b"new"})


def test_a_body_may_come_in_pieces(caller: Caller, bucket: Path):
    chunked = signed(caller, "PUT", bucket.name, "chunked")
    del chunked.headers["Content-Length"]
    chunked.headers["Transfer-Encoding"] = "chunked"
    chunked.body = iter([b"in ", b"pieces"])

    assert caller.send_prepared(chunked).status_code == 200
    assert tree(bucket) == {"chunked": b"in pieces"}


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_objects_have_the_mode_that_the_umask_leaves(tmp_path: Path, mask: int, mode: int):
    before = os.umask(mask)
    try:
        with new_file(tmp_path) as (path, _):
            shelf = Shelf(tmp_path, Notes(tmp_path / "notes"), "region", "owner")
            (tmp_path / "bucket").mkdir()
            shelf.put("bucket", "key", path, Note())
    finally:
        os.umask(before)

    assert (tmp_path / "bucket" / "key").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("length", "status", "code"), [(str((5 << 30) + 1), 400, b"EntityTooLarge"), (None, 411, b"MissingContentLength")]
)
def test_a_body_needs_a_length_that_is_not_too_large(caller: Caller, tmp_path: Path, length, status, code):
    gate = Gate(Tokens(caller.account))
    (tmp_path / "buckets" / "bucket").mkdir(parents=True)
    app = ObsApp(Shelf(tmp_path / "buckets", Notes(tmp_path / "notes"), "region", "owner"), gate, Activity(1))
    call = signed(caller, "PUT", "bucket", "huge")
    environ = EnvironBuilder("/bucket/huge", method="PUT", headers=dict(call.headers)).get_environ()
    environ.update({"wsgi.input": io.BytesIO(b"what was sent"), "CONTENT_LENGTH": length})
    if length is None:
        del environ["CONTENT_LENGTH"]

    content, said, _ = run_wsgi_app(app, environ)

    assert (int(said[:3]), b"<Code>%b</Code>" % code in b"".join(content)) == (status, True)
    assert tree(tmp_path) == {}


# --- what is not served


@pytest.mark.parametrize(
    ("method", "key", "parameters", "headers"),
    [
        ("GET", "", {"acl": None}, {}),
        ("PUT", "", {"versioning": None}, {}),
        ("GET", "", {"uploads": None, "delimiter": "/"}, {}),
        ("GET", "", {"list-type": "2"}, {}),
        ("GET", "file", {"versionId": "1"}, {}),
        ("POST", "file", {"append": None, "position": "0"}, {}),
        ("PUT", "file", {}, {"x-amz-copy-source": "/bucket/key"}),
        ("PUT", "file", {}, {"x-obs-server-side-encryption": "kms"}),
        ("PUT", "file", {}, {"x-amz-acl": "public-read"}),
        ("GET", "file", {}, {"If-Match": '"x"'}),
        ("OPTIONS", "", {}, {}),
    ],
)
def test_what_is_not_served_is_told(caller: Caller, bucket: Path, method, key, parameters, headers):
    call = signed(caller, method, bucket.name, key, parameters, headers)

    told = refused(caller.send_prepared(call), 501, "NotImplemented")

    assert told.startswith(f"the local service does not do this: {method} of a")


def test_a_path_that_is_no_text_is_refused(caller: Caller):
    call = signed(caller, "GET", "bucket", "x")
    call.url = call.url.replace("/x", "/%FF")

    refused(caller.send_prepared(call), 400, "InvalidURI")


def test_failures_of_the_disk_are_told(session: Session, bucket: Path, local: Path):
    if os.geteuid() == 0:
        pytest.skip("root may do everything")
    bucket.chmod(0o500)
    try:
        with pytest.raises(ObsError, match="AccessDenied: the local service may not do this"):
            session.obs.upload_file(put(local / "file"), f"obs://{bucket.name}/")
    finally:
        bucket.chmod(0o700)


def _complete(client: Any, bucket: Path, upload: str, parts: list[tuple[int, str]]) -> Any:
    from obs import CompleteMultipartUploadRequest, CompletePart

    request = CompleteMultipartUploadRequest([CompletePart(number, etag) for number, etag in parts])
    return client.completeMultipartUpload(bucket.name, "parts", upload, request)


def _pieces(size: int, act: Any, fails: bool = False) -> Iterator[bytes]:
    for _ in range(size // MIB):
        act()
        yield bytes(MIB)
    if fails:
        raise ConnectionAbortedError
