"""Requests that two readers could understand differently are refused: a signature covers what is carried out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from tests.emulator.cloud_client import CloudClient, assert_api_error, sdk_date
from tests.emulator.obs.test_signature_v4 import signed as signed_v4
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, http_date, signed

pytestmark = IGNORED_WARNINGS


@pytest.fixture(scope="module", autouse=True)
def bucket(iam_home: Path) -> Iterator[LocalBuckets]:
    buckets = LocalBuckets(LocalHome.of(iam_home).buckets)
    buckets.create_bucket("one-reading")
    yield buckets
    buckets.delete("obs://one-reading/", recursive=True)
    buckets.delete_bucket("one-reading")


def send_raw(connection: HTTPConnection, request: requests.PreparedRequest, *more: tuple[str, str]) -> HTTPResponse:
    """Send a request with headers that a client library would combine."""
    with closing(connection):
        connection.putrequest(request.method, request.path_url, skip_host=True, skip_accept_encoding=True)
        for name, value in [*request.headers.items(), *more]:
            connection.putheader(name, value.encode("latin-1") if isinstance(value, str) else value)
        connection.endheaders(request.body or b"")
        reply = connection.getresponse()
        reply.text = reply.read().decode()  # type: ignore[attr-defined]
        return reply


def secure(cloud: CloudClient) -> HTTPSConnection:
    trusted = ssl.create_default_context(cafile=cloud.address.ca_bundle)
    return HTTPSConnection(urlsplit(cloud.address.url).netloc, context=trusted, timeout=10)


@pytest.mark.parametrize("dialect", ["obs", "v2"])
@pytest.mark.parametrize("name", ["uploads", "append", "delete", "acl", "uploadId"])
def test_an_encoded_name_selects_no_other_operation_than_the_signed_one(cloud: CloudClient, dialect: str, name: str):
    request = signed(cloud, "POST", "one-reading", "k", dialect=dialect)
    for encoded in (f"%{ord(name[0]):02x}{name[1:]}", f"{name[:-1]}%{ord(name[-1]):02X}", name):
        request.url = f"{cloud.address.url}/one-reading/k?{encoded}"

        reply = cloud.send_prepared(request)

        assert reply.status_code in (403, 501), encoded  # not signed, or no operation
        assert "UploadId" not in reply.text


def test_an_encoded_name_is_accepted_with_its_signature(cloud: CloudClient):
    request = signed(cloud, "POST", "one-reading", "k", {"uploads": None})
    request.url = request.url.replace("?uploads", "?%75ploads")

    assert cloud.send_prepared(request).status_code == 200


@pytest.mark.parametrize("path", ["/one-reading%2Fk", "/one%2dreading%2fk", "/%6fne-reading/%6b"])
def test_an_encoded_path_names_the_object_that_was_signed(cloud: CloudClient, iam_home: Path, path: str):
    LocalHome.of(iam_home).buckets.joinpath("one-reading", "k").write_bytes(b"content")
    request = signed_v4(cloud, "GET", "one-reading/k")
    request.url = f"{cloud.address.url}{path}"  # its signature is the same

    assert cloud.send_prepared(request).content == b"content"


def test_a_parameter_that_occurs_twice_is_refused(cloud: CloudClient):
    for more in ("&partNumber=2", "&part%4eumber=1"):
        part = signed(cloud, "PUT", "one-reading", "k", {"uploadId": "0" * 32, "partNumber": "1"})
        part.url += more
        assert "occurs more than once" in assert_obs_error(cloud.send_prepared(part), 400, "InvalidArgument")

    listing = cloud.signed("GET", f"{cloud.v1}/training-jobs", [("page", 1), ("page", 2)])
    assert "more than once" in assert_api_error(cloud.send_prepared(listing), 401, "ModelArts.0208")


@pytest.mark.parametrize("name", ["Authorization", "Host", "X-Sdk-Date", "x-sdk-date", "Content-Type", "X-Project-Id"])
def test_a_header_that_occurs_twice_is_refused(cloud: CloudClient, name: str):
    request = cloud.signed("GET", f"{cloud.v1}/job/ai-engines", (), {"X-Project-Id": cloud.account.project_id})
    value = request.headers[name]

    reply = send_raw(secure(cloud), request, (name, value))

    assert (reply.status, "must not occur more than once" in reply.text) == (400, True)


def test_a_date_of_obs_that_occurs_twice_is_refused(cloud: CloudClient, iam_home: Path):
    request = signed(cloud, "GET", "one-reading")
    request.headers["Host"] = "127.0.0.1"

    assert send_raw(secure(cloud), request, ("Date", http_date())).status == 400
    local = urlsplit(daemon.find(iam_home).url).netloc
    for name in ("Date", "Host", "Authorization"):
        assert 400 <= send_raw(HTTPConnection(local), request, (name, request.headers[name])).status < 500, name


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ("X_Sdk_Date", "hyphens"),
        ("x-sdk_date", "hyphens"),
        ("X-Sdk-Date ", "blanks"),
        ("X-More: 1\r\n X-Sdk-Date", "one line"),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\nX-Sdk-Date", "not both"),
        ("Content-Length: +1\r\nX-Sdk-Date", "digits"),
        ("Content-Length: 1_0\r\nX-Sdk-Date", "digits"),
    ],
)
def test_a_name_that_only_some_readers_understand_is_refused(cloud: CloudClient, sent: str, rule: str):
    request = cloud.signed("GET", f"{cloud.v1}/job/ai-engines")
    date = request.headers.pop("X-Sdk-Date")
    connection = secure(cloud)
    with closing(connection):
        connection.connect()
        lines = [f"GET {request.path_url} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
        connection.sock.sendall("\r\n".join([*lines, f"{sent}: {date}", "", ""]).encode())
        reply = HTTPResponse(connection.sock)
        reply.begin()

        assert (reply.status, rule in reply.read().decode()) == (400, True)


def test_a_date_in_lower_case_is_refused(cloud: CloudClient):
    lower = {"X-Sdk-Date": sdk_date().lower()}
    listing = cloud.signed("GET", f"{cloud.v1}/job/ai-engines", (), lower)
    assert_api_error(cloud.send_prepared(listing), 401, "ModelArts.0208")

    for header in ({"Date": http_date().lower()}, {"x-amz-date": http_date().lower()}):
        assert_obs_error(cloud.send_prepared(signed(cloud, "GET", "one-reading", headers=header)), 403, "AccessDenied")
