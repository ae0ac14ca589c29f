"""Our requests to OBS against those of `esdk-obs-python`: the same signatures, targets, headers and bodies."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import fault_proxy
import pytest
from conftest import ACCESS_KEY, SECRET_KEY, TOKEN
from fault_proxy import MARK, FaultProxy, Reply
from large import PART
from obs import CompleteMultipartUploadRequest, CompletePart, DeleteObjectsRequest, GetObjectHeader, Object
from obs.auth import Authentication
from obs.convertor import Adapter, Convertor

from modelarts._auth.signing import AkSkAuth, Keys
from modelarts._obs.cloud import esdk
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.cloud.client import ObsClient
from modelarts._obs.cloud.messages import ObsRequest
from modelarts._obs.cloud.signing import AWS, OBS, sign
from modelarts._transport.options import TransportOptions

KEYS = [Keys(ACCESS_KEY, SECRET_KEY), Keys(ACCESS_KEY, SECRET_KEY, TOKEN)]
OBJECTS = ["a.txt", "dir/a b+c&d=e?f#g.txt", "目录/训练.py", "~tilde~/*'()!,;:@$", 'quote"\\back|pipe<>', "%41%2F"]
QUERIES: list[dict[str, str | None]] = [
    {}, {"uploads": None}, {"uploadId": "a+b/c=="}, {"partNumber": "3", "uploadId": "id"}, {"delete": None},
    {"max-keys": "5", "prefix": "x/"}, {"part-number-marker": "7", "uploadId": "id"},
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "kind", "by_path"), [(OBS, "obs", False), (AWS, "v2", True), (AWS, "v2", False)])
def test_signatures_are_those_of_the_package(dialect: Any, kind: str, by_path: bool):
    for keys, key, query in itertools.product(KEYS, ["", *OBJECTS], QUERIES):
        headers = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==", f"{dialect.prefix}meta-name": " a value "}
        target = quote(key, "/~")
        resource = f"/bucket/{target}" if key or not by_path else "/bucket"

        sign(dialect, keys, "PUT", resource, query, headers)

        given = {name: value for name, value in headers.items() if name != "Authorization"}
        oracle = Authentication(keys.access_key, keys.secret_key, by_path, Adapter(kind), "obs.example.com", False)
        expected = oracle.doAuth("PUT", "bucket", key, query, given)["Authorization"]
        assert headers["Authorization"] == expected, (keys, key, query)


# --- whole requests

_OWN = {"date", "authorization", "user-agent", "connection", "accept-encoding"}  # what may differ
OPERATIONS: dict[str, tuple[Callable[[Any], Any], ObsRequest]] = {
    "head": (lambda client: client.getObjectMetadata("bucket", "a b"),
             ObsRequest(method="HEAD", bucket="bucket", key="a b")),
    "head bucket": (lambda client: client.headBucket("bucket"), ObsRequest(method="HEAD", bucket="bucket")),
    "range": (lambda client: client.getObject("bucket", "目录/a", headers=GetObjectHeader(range="5-9")),
              ObsRequest(method="GET", bucket="bucket", key="目录/a", headers={"Range": "bytes=5-9"})),
    "put": (lambda client: client.putContent("bucket", "a+b", b"text"),
            ObsRequest(method="PUT", bucket="bucket", key="a+b", body=b"text")),
    "delete": (lambda client: client.deleteObject("bucket", "a~b"),
               ObsRequest(method="DELETE", bucket="bucket", key="a~b")),
    "list": (lambda client: client.listObjects("bucket", prefix="目 录/", max_keys=7, encoding_type="url"),
             ObsRequest(method="GET", bucket="bucket",
                        query={"prefix": "目 录/", "max-keys": "7", "encoding-type": "url"})),
    "initiate": (lambda client: client.initiateMultipartUpload("bucket", "a", metadata={"modelarts-part-size": "9"}),
                 ObsRequest(method="POST", bucket="bucket", key="a", query={"uploads": None},
                            metadata={"meta-modelarts-part-size": "9"})),
    "part": (lambda client: client.uploadPart("bucket", "a", 2, "id", content=b"text"),
             ObsRequest(method="PUT", bucket="bucket", key="a", query={"partNumber": "2", "uploadId": "id"},
                        body=b"text")),
    "abort": (lambda client: client.abortMultipartUpload("bucket", "a", "id"),
              ObsRequest(method="DELETE", bucket="bucket", key="a", query={"uploadId": "id"})),
    "list parts": (lambda client: client.listParts("bucket", "a", "id", partNumberMarker=3),
                   ObsRequest(method="GET", bucket="bucket", key="a",
                              query={"uploadId": "id", "part-number-marker": "3"})),
}  # fmt: skip


def seen(proxy: FaultProxy) -> list[tuple[str, str, dict[str, str], int]]:
    return [
        (request.method, request.target.partition("?")[0],
         {**{name: text for name, text in request.headers.items() if name not in _OWN},
          "query": "&".join(sorted(request.target.partition("?")[2].split("&")))}, request.body)
        for request in proxy.seen
    ]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_are_those_of_the_package(proxy: FaultProxy, auth: AkSkAuth, operation: str):
    proxy.rule = lambda request: Reply(200, headers={**MARK, "ETag": "e"})
    theirs, ours = OPERATIONS[operation]
    client = ObsClient(proxy.url, auth, TransportOptions())
    package = esdk.new_client(client)
    theirs(package)
    expected = seen(proxy)
    proxy.seen.clear()

    client.call("compare", ours)

    (request,), (before,) = seen(proxy), expected
    request[2].pop("content-length", None), before[2].pop("content-length", None)
    assert request == before
    client.close()


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that arrive at the proxy."""
    found: list[bytes] = []
    read = fault_proxy._Handler._body

    def kept(handler: Any, request: Any, limit: int | None = None) -> Iterator[bytes]:
        found.append(b"")
        for chunk in read(handler, request, limit):
            found[-1] += chunk
            yield chunk

    monkeypatch.setattr(fault_proxy._Handler, "_body", kept)
    return found


def members(document: bytes) -> Any:
    """What a document means, however it is written."""

    def of(element: ElementTree.Element) -> Any:
        return element.tag, element.text or "", [of(child) for child in element]

    return of(ElementTree.fromstring(document))


def test_documents_are_those_of_the_package(
    proxy: FaultProxy, auth: AkSkAuth, bodies: list[bytes], local: Path, tmp_path: Path
):
    obs = HuaweiBuckets(proxy.url, auth, tmp_path / "state", region="cn-north-4", part_size=PART)
    (local / "中&b<").write_bytes(bytes(PART) + b"6")
    obs.create_bucket("documents")
    obs.upload_file("中&b<", "obs://documents/d/")
    obs.delete("obs://documents/d/", recursive=True)

    oracle = Convertor("v2", Adapter("v2"))
    parts = [CompletePart(number, hashlib.md5(part).hexdigest()) for number, part in enumerate((bytes(PART), b"6"), 1)]
    expected = [
        oracle.trans_bucket_location("cn-north-4"),
        oracle.trans_complete_multipart_upload_request(CompleteMultipartUploadRequest(parts), False)[0],
        oracle.trans_delete_objects_request(DeleteObjectsRequest(True, [Object("d/"), Object("d/中&b<")])),
    ]
    sent = [members(body) for body in bodies if body.startswith(b"<?xml")]
    assert sent == [members(document) for document in expected]
    obs.close()
