"""Signatures of version 4, which clients of S3 use by default: requests are signed by botocore, and then changed."""

from __future__ import annotations

import base64
import hashlib
import shutil
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from modelarts.local.paths import LocalHome
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, http_date
from tests.support.files import put

pytestmark = IGNORED_WARNINGS
KEY = "a b/中 +%~.txt"
PATH = "signed4/a%20b/%E4%B8%AD%20%2B%25~.txt"


@pytest.fixture(scope="module", autouse=True)
def bucket(iam_home: Path) -> Iterator[Path]:
    folder = LocalHome.of(iam_home).buckets / "signed4"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


class Signer(S3SigV4Auth):
    """Signs a request whose body is of the kind that it names itself."""

    def payload(self, request: Any) -> str:
        return str(request.headers.get("x-amz-content-sha256") or super().payload(request))

    def _modify_request_before_signing(self, request: Any) -> None:
        digest = self.payload(request)
        super()._modify_request_before_signing(request)
        request.headers.replace_header("X-Amz-Content-SHA256", digest)


def signed(
    cloud: CloudClient, method: str, path: str, body: bytes = b"", keys: Any = None, **headers: str
) -> requests.PreparedRequest:
    """A request that is signed as boto3 does it; names of headers have underscores for hyphens."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    access_key, secret_key, *token = keys or (cloud.account.access_key, cloud.account.secret_key)
    request = AWSRequest(method, f"{cloud.address.url}/{path}", names, body)
    Signer(Credentials(access_key, secret_key, *token), "s3", "cn-north-4").add_auth(request)
    prepared = requests.Request(method, request.url, dict(request.headers.items()), data=body).prepare()
    prepared.url = request.url  # as it was signed
    return prepared


def sent(cloud: CloudClient, *arguments: Any, **options: Any) -> requests.Response:
    return cloud.send_prepared(signed(cloud, *arguments, **options))


def test_objects_are_written_listed_and_read(cloud: CloudClient, bucket: Path):
    written = sent(cloud, "PUT", PATH, b"content", Content_Type="text/plain", x_amz_meta_who="me  too")

    assert written.status_code == 200, written.text
    assert (bucket / KEY).read_bytes() == b"content"
    found = sent(cloud, "GET", PATH)
    assert (found.content, found.headers["x-amz-meta-who"]) == (b"content", "me  too")
    listed = sent(cloud, "GET", "signed4?prefix=a%20b%2F&list-type=2&delimiter=%2F&fetch-owner=true")
    assert f"<Key>{KEY}</Key>" in listed.text and "<KeyCount>1</KeyCount>" in listed.text


def test_the_location_of_a_bucket_is_as_clients_of_s3_read_it(cloud: CloudClient):
    root = ElementTree.fromstring(sent(cloud, "GET", "signed4?location=").text)

    assert (root.tag.rpartition("}")[2], root.text) == ("LocationConstraint", cloud.address.region_name)


def test_pages_of_a_list_follow_each_other_by_tokens(cloud: CloudClient, bucket: Path):
    for name in ("1 &", "2+", "3%"):
        put(bucket / "pages" / name, "")
    found, token = [], ""
    while True:
        following = f"continuation-token={quote(token, safe='')}&" if token else ""
        text = sent(cloud, "GET", f"signed4?{following}list-type=2&max-keys=1&prefix=pages%2F").text
        found.append(text.partition("<Key>")[2].partition("</Key>")[0])
        token = text.partition("<NextContinuationToken>")[2].partition("</NextContinuationToken>")[0]
        if not token:
            break

    assert found == ["pages/1 &amp;", "pages/2+", "pages/3%"]
    after = sent(cloud, "GET", "signed4?list-type=2&prefix=pages%2F&start-after=pages%2F2%2B").text
    assert after.count("<Key>") == 1
    assert_obs_error(sent(cloud, "GET", "signed4?list-type=3"), 400, "InvalidArgument")


def test_a_changed_request_is_rejected(cloud: CloudClient, bucket: Path):
    changed = [signed(cloud, "PUT", f"{PATH}2", b"content", x_amz_meta_who="me") for _ in range(4)]
    changed[0].url += "3"
    changed[1].method = "GET"
    changed[2].headers["x-amz-meta-who"] = "you"
    changed[3].headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    listed = signed(cloud, "GET", "signed4?prefix=a")
    listed.url += "b"

    for request in (*changed, listed):
        assert_obs_error(cloud.send_prepared(request), 403, "SignatureDoesNotMatch")
    assert not list(bucket.glob(f"*/{KEY}2*".replace("a b/", "")))


def test_other_content_than_what_was_signed_is_rejected(cloud: CloudClient, bucket: Path):
    request = signed(cloud, "PUT", "signed4/other", b"content")
    request.body = b"CONTENT"

    assert_obs_error(cloud.send_prepared(request), 400, "BadDigest")
    assert not (bucket / "other").exists()


def test_a_header_of_the_service_that_is_not_signed_is_rejected(cloud: CloudClient):
    request = signed(cloud, "PUT", "signed4/unsigned", b"content")
    request.headers["x-amz-meta-more"] = "1"

    message = assert_obs_error(cloud.send_prepared(request), 403, "AccessDenied")
    assert "x-amz-meta-more" in message


@pytest.mark.parametrize(("checksum", "status"), [(zlib.crc32(b"content"), 200), (0, 400)])
def test_content_may_come_in_chunks_with_a_checksum(
    cloud: CloudClient, bucket: Path, checksum: int, status: int
):
    trailer = base64.b64encode(checksum.to_bytes(4, "big")).decode()
    body = f"3\r\ncon\r\n4\r\ntent\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()
    reply = sent(
        cloud, "PUT", "signed4/chunks", body, Content_Encoding="aws-chunked", x_amz_trailer="x-amz-checksum-crc32",
        x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER", x_amz_decoded_content_length="7",
    )  # fmt: skip

    if status == 400:
        assert_obs_error(reply, 400, "BadDigest")
        return
    assert reply.status_code == 200, reply.text
    found = sent(cloud, "GET", "signed4/chunks")
    assert (found.content, found.headers.get("Content-Encoding")) == (b"content", None)


@pytest.mark.parametrize("body", [b"x\r\ncon\r\n", b"7\r\ncon", b"7\r\ncontentX\r\n0\r\n\r\n", b""])
def test_chunks_that_are_malformed_are_rejected(cloud: CloudClient, bucket: Path, body: bytes):
    reply = sent(
        cloud, "PUT", "signed4/malformed", body, x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        x_amz_decoded_content_length="7",
    )  # fmt: skip

    assert_obs_error(reply, 400, "IncompleteBody")
    assert not (bucket / "malformed").exists()


def test_a_checksum_in_a_header_is_compared(cloud: CloudClient):
    good, bad = (base64.b64encode(zlib.crc32(text).to_bytes(4, "big")).decode() for text in (b"content", b"other"))

    assert sent(cloud, "PUT", "signed4/sum", b"content", x_amz_checksum_crc32=good).status_code == 200
    assert_obs_error(sent(cloud, "PUT", "signed4/sum", b"content", x_amz_checksum_crc32=bad), 400, "BadDigest")


def test_keys_and_dates_are_checked(cloud: CloudClient, monkeypatch: pytest.MonkeyPatch):
    key, secret = cloud.account.access_key, cloud.account.secret_key
    issued = cloud.temporary_keys()
    temporary = (issued["access"], issued["secret"], issued["securitytoken"])

    assert_obs_error(sent(cloud, "GET", "signed4", keys=(key, "x")), 403, "SignatureDoesNotMatch")
    assert_obs_error(sent(cloud, "GET", "signed4", keys=("X", secret)), 403, "InvalidAccessKeyId")
    assert sent(cloud, "GET", "signed4", keys=temporary).status_code == 200
    assert_obs_error(sent(cloud, "GET", "signed4", keys=temporary[:2]), 403, "InvalidAccessKeyId")
    late = signed(cloud, "GET", "signed4")
    moment = datetime.now(timezone.utc) - timedelta(minutes=16)
    late.headers["X-Amz-Date"] = moment.strftime("%Y%m%dT%H%M%SZ")
    if moment.day == datetime.now(timezone.utc).day:
        assert_obs_error(cloud.send_prepared(late), 403, "RequestTimeTooSkewed")
    late.headers["X-Amz-Date"] = http_date(datetime.now(timezone.utc) - timedelta(days=1))
    assert_obs_error(cloud.send_prepared(late), 403, "AccessDenied")


@pytest.mark.parametrize("authorization", [
    "AWS4-HMAC-SHA256 Credential=x", "AWS4-HMAC-SHA256 Credential=x/20260101/r/s3/aws4_request, SignedHeaders=host",
    "AWS4-HMAC-SHA256 Credential=x/20260101/r/ec2/aws4_request,SignedHeaders=host,Signature=" + "0" * 64,
])  # fmt: skip
def test_a_malformed_header_is_explained(cloud: CloudClient, authorization: str):
    reply = cloud.send("GET", f"{cloud.address.url}/signed4", headers={"Authorization": authorization})

    assert "Credential=<key>/<day>/<region>/s3/aws4_request" in assert_obs_error(reply, 400, "InvalidArgument")


def test_another_kind_of_body_is_not_implemented(cloud: CloudClient):
    digest = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    reply = sent(cloud, "PUT", "signed4/chunks", b"content", x_amz_content_sha256=digest)

    assert digest in assert_obs_error(reply, 501, "NotImplemented")


def test_a_client_that_reads_in_parts_notices_a_change(cloud: CloudClient, bucket: Path):
    put(bucket / "parts", "content")
    etag = hashlib.md5(b"content").hexdigest()

    assert sent(cloud, "GET", "signed4/parts", If_Match=f'"{etag}"').content == b"content"
    assert_obs_error(sent(cloud, "GET", "signed4/parts", If_Match='"other"'), 412, "PreconditionFailed")
