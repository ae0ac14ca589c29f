"""Operations on objects (obs_04_0080 to 0086)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import unquote_plus

from werkzeug.http import http_date
from werkzeug.wrappers import Response

from modelarts.local.emulator.obs import responses
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.metadata import Metadata
from modelarts.local.emulator.obs.object_store import ObjectStore, StoredObject, folder_with_content
from modelarts.local.emulator.obs.request import AWS, ObsRequest
from modelarts.local.emulator.obs.request_body import check_content_md5, receive_body
from modelarts.local.emulator.obs.xml_body import parse_xml_body

MAX_DELETED = 1000
APPENDABLE = {"object-type": "Appendable"}  # in the headers of an object that was created by appending
NEXT_POSITION = "x-obs-next-append-position"  # in both dialects: S3 has no appending
_CHUNK = 1 << 17
_KEPT_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type")


def put(store: ObjectStore, request: ObsRequest) -> Response:
    if request.key.endswith("/"):
        return _put_folder(store, request)
    with store.prepare_folder(request.bucket, request.key) as folder, receive_body(request, folder) as body:
        store.put(request.bucket, request.key, body.file, Metadata(body.md5, stored_headers(request)))
    return responses.empty(200, {"ETag": f'"{body.md5}"'})


def get(store: ObjectStore, request: ObsRequest) -> Response:
    stored = store.find(request.bucket, request.key)
    try:
        _check_unchanged(request, stored)
        start, stop = _byte_range(request, stored)
    except ObsApiError:
        stored.close()
        raise
    response = Response(chunks_of(stored.file, start, stop), 206 if request.range else 200, direct_passthrough=True)
    response.call_on_close(stored.close)
    response.headers.update(_headers(request, stored))
    response.headers["Content-Length"] = str(stop - start)
    if request.range:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    return response


def head(store: ObjectStore, request: ObsRequest) -> Response:
    stored = store.find(request.bucket, request.key)
    stored.close()
    _check_unchanged(request, stored)
    return responses.empty(200, _headers(request, stored))


def delete(store: ObjectStore, request: ObsRequest) -> Response:
    store.remove(request.bucket, request.key)
    return responses.empty(204)


def delete_several(store: ObjectStore, request: ObsRequest) -> Response:
    """Remove the objects listed in the body, and report which failed and why."""
    if not any(name == "content-md5" or name.startswith(f"{AWS.prefix}checksum-") for name in request.headers):
        raise ObsApiError("MissingRequiredHeader", "the header Content-MD5, or a checksum of S3, is missing")
    store.bucket(request.bucket)
    root = parse_xml_body(request, "Delete")
    keys = [element.text or "" for element in root.findall("Object/Key")]
    if not 1 <= len(keys) <= MAX_DELETED or root.find("Object/VersionId") is not None:
        raise ObsApiError("MalformedXML", f"the body must name 1 to {MAX_DELETED} objects, without versions")
    encoding = root.findtext("EncodingType") == "url"
    results: list[Any] = [("EncodingType", "url")] if encoding else []
    for key in keys:
        result = _delete_one(store, request.bucket, key, unquote_plus(key) if encoding else key)
        if result[0] == "Error" or root.findtext("Quiet") != "true":
            results.append(result)
    return responses.xml("DeleteResult", results)


def stored_headers(request: ObsRequest) -> dict[str, str]:
    """The headers stored with an object; user metadata without the prefix of the dialect."""
    prefix = request.dialect.prefix
    user = {name[len(prefix) :]: value for name, value in request.headers.items() if name.startswith(f"{prefix}meta-")}
    return {**{name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}, **user}


def _put_folder(store: ObjectStore, request: ObsRequest) -> Response:
    if request.body.read(1):
        raise folder_with_content(request.key)
    check_content_md5(request, md5().digest())
    store.put_folder(request.bucket, request.key)
    return responses.empty(200, {"ETag": f'"{md5().hexdigest()}"'})


def _delete_one(store: ObjectStore, bucket: str, encoded_key: str, key: str) -> tuple[str, Any]:
    try:
        store.remove(bucket, key)
    except ObsApiError as error:
        return "Error", [("Key", encoded_key), ("Code", error.code), ("Message", error.message)]
    except OSError as error:
        return "Error", [("Key", encoded_key), ("Code", "AccessDenied"), ("Message", error.strerror or "not removed")]
    return "Deleted", [("Key", encoded_key)]


def _check_unchanged(request: ObsRequest, stored: StoredObject) -> None:
    """Raise `ObsApiError` if a client that reads an object in parts has begun with another content."""
    expected = request.headers.get("if-match", "*")
    if expected != "*" and stored.etag not in (each.strip().strip('"') for each in expected.split(",")):
        raise ObsApiError("PreconditionFailed", f"the ETag of the object is {stored.etag}, not {expected}")


def _headers(request: ObsRequest, stored: StoredObject) -> dict[str, str]:
    prefix = request.dialect.prefix
    headers = {name.title() if name in _KEPT_HEADERS else prefix + name: text for name, text in stored.headers.items()}
    if APPENDABLE.items() <= stored.headers.items():
        headers[NEXT_POSITION] = str(stored.size)
    return {
        "Content-Type": "binary/octet-stream",
        **headers,
        "Content-Length": str(stored.size),
        "ETag": f'"{stored.etag}"',
        "Last-Modified": http_date(stored.modified),
        "Accept-Ranges": "bytes",
    }


def _byte_range(request: ObsRequest, stored: StoredObject) -> tuple[int, int]:
    """The requested range: its first byte, and the one after its last."""
    if request.range is None:
        return 0, stored.size
    byte_range = request.range.range_for_length(stored.size)
    if byte_range is None:
        raise ObsApiError("InvalidRange", f"the object has {stored.size} bytes, and only one range can be requested")
    return byte_range


def chunks_of(file: IO[bytes] | None, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of an open file from `start` up to `stop`; a folder has none."""
    if file is None:
        return
    file.seek(start)
    while start < stop:
        chunk = file.read(min(_CHUNK, stop - start))
        if not chunk:
            raise OSError(f"{file.name} was truncated while it was read")
        start += len(chunk)
        yield chunk
