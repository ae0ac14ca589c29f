"""Objects over HTTP are the files of the local service."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import requests

from modelarts.session import Session
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, keys_in, signed
from tests.support.cases import case
from tests.support.files import contents, put

pytestmark = IGNORED_WARNINGS


MIB = 1 << 20


NAMES = ["a b.txt", "中文.txt", "😀.txt", "50%.txt", "a+b.txt", "%2F", "q?x=1&y#z", "~'\"<&>.txt", "..hidden", "tab\t"]


def test_unusual_names_and_empty_files_are_uploaded_and_downloaded(session: Session, bucket: Path, local: Path):
    for name in NAMES:
        put(local / "odd" / name / name, name)
    put(local / "odd" / "empty", "")

    session.obs.upload_dir(local / "odd", f"obs://{bucket.name}/x y/")
    session.obs.download_dir(f"obs://{bucket.name}/x y/odd/", local / "back")

    assert contents(bucket / "x y" / "odd") == contents(local / "odd") == contents(local / "back" / "odd")
    items = session.obs.list(f"obs://{bucket.name}/", recursive=True)
    assert {item.path.key for item in items} == {f"x y/odd/{name}" for name in contents(local / "odd")}


def test_an_object_has_an_etag_a_time_and_user_metadata(client, bucket: Path):
    sent = client.putContent(bucket.name, "a/b", "text", metadata={"who": "我 & you"})
    found = client.getObjectMetadata(bucket.name, "a/b")
    (listed,) = client.listObjects(bucket.name).body.contents

    etag = f'"{hashlib.md5(b"text").hexdigest()}"'
    assert {sent.body.etag, found.body.etag, listed.etag} == {etag}
    assert found.body.contentLength == listed.size == 4
    assert dict(found.header)["who"] == "我 & you"
    client.putContent(bucket.name, "a/b", "other")
    assert "who" not in dict(client.getObjectMetadata(bucket.name, "a/b").header)


def test_files_written_by_jobs_have_an_etag_that_changes_with_them(client, session: Session, bucket: Path, local: Path):
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
    assert etag("large") != before[1] and len(etag("large")) > 34  # not an MD5, and longer than one
    assert len(contents(local)) == 2


RANGES = {"0-0": b"0", "2-4": b"234", "5-": b"56789", "-3": b"789", "8-100": b"89", "0-9": b"0123456789"}


def test_ranges(cloud: CloudClient, bucket: Path):
    put(bucket / "digits", "0123456789")

    def get(byte_range: str) -> requests.Response:
        headers = {"Range": f"bytes={byte_range}"}
        return cloud.send_prepared(signed(cloud, "GET", bucket.name, "digits", headers=headers))

    for byte_range, expected in RANGES.items():
        reply, start = get(byte_range), b"0123456789".index(expected)
        assert (reply.status_code, reply.content) == (206, expected), byte_range
        assert reply.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/10"
    for byte_range in ("10-", "0-1,3-4"):
        with case(byte_range):
            assert_obs_error(get(byte_range), 416, "InvalidRange")


def test_missing_objects_are_reported(client, bucket: Path):
    put(bucket / "dir" / "file")

    for key in ("nothing", "dir", "dir/", "dir/file/below", "dir/file/"):
        assert client.getObjectMetadata(bucket.name, key).status == 404
        assert client.getObject(bucket.name, key).errorCode == "NoSuchKey"
        assert client.deleteObject(bucket.name, key).status == 204
    assert contents(bucket) == {"dir/file": b"text"}


def test_folders_that_were_created_are_objects(client, session: Session, bucket: Path):
    place = f"obs://{bucket.name}"
    session.obs.create_directory(f"{place}/made/deep/")
    client.putContent(bucket.name, "made/deep/file", "")
    client.putContent(bucket.name, "grown/file", "")

    assert keys_in(client.listObjects(bucket.name)) == ["grown/file", "made/deep/", "made/deep/file"]
    assert client.getObjectMetadata(bucket.name, "made/deep/").body.contentLength == 0
    session.obs.delete(f"{place}/made/deep/file")
    session.obs.delete(f"{place}/grown/file")
    assert [session.obs.exists(f"{place}/{name}/") for name in ("made/deep", "grown")] == [True, False]
    assert client.putContent(bucket.name, "full/", "text").errorCode == "InvalidArgument"


def test_several_objects_are_deleted_at_once(client, cloud: CloudClient, bucket: Path):
    for name in ("a", "b &", "c/d", "kept"):
        put(bucket / name)
    names = ["a", "b &", "c/d", "never", "../kept"]
    body = ElementTree.Element("Delete")
    for name in names:
        ElementTree.SubElement(ElementTree.SubElement(body, "Object"), "Key").text = name

    def send(content: bytes, checksum: bool = True) -> Any:
        digest = {"Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode()} if checksum else {}
        request = signed(cloud, "POST", bucket.name, "", {"delete": None}, headers=digest, body=content)
        return cloud.send_prepared(request)

    reply = ElementTree.fromstring(send(ElementTree.tostring(body)).content)

    space = "{http://obs.myhwclouds.com/doc/2015-06-30/}"
    assert [found.text for found in reply.findall(f"{space}Deleted/{space}Key")] == names[:-1]
    assert reply.findtext(f"{space}Error/{space}Key") == "../kept"
    assert contents(bucket) == {"kept": b"text"} and not (bucket / "c").exists()
    assert_obs_error(send(b"<Delete/>"), 400, "MalformedXML")
    assert_obs_error(send(b"<Delete>"), 400, "MalformedXML")
    assert_obs_error(send(b"<!DOCTYPE x []><Delete/>"), 400, "MalformedXML")
    assert_obs_error(send(ElementTree.tostring(body), checksum=False), 400, "MissingRequiredHeader")
