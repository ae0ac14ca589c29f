"""Operations on objects (obs_04_0080 to 0086)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import unquote_plus

from werkzeug.http import http_date
from werkzeug.wrappers import Response

from modelarts.local.emulator.obs import responses
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.metadata import Metadata
from modelarts.local.emulator.obs.object_store import Found, ObjectStore
from modelarts.local.emulator.obs.request_body import check_digest, receive
from modelarts.local.emulator.obs.xml_body import parse_body

MAX_DELETED = 1000
_CHUNK = 1 << 17
_KEPT_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type")


def put(store: ObjectStore, call: Call) -> Response:
    if call.key.endswith("/"):
        return _put_folder(store, call)
    with store.prepare_folder(call.bucket, call.key) as folder, receive(call, folder) as body:
        store.put(call.bucket, call.key, body.file, Metadata(body.md5, headers_of(call)))
    return responses.empty(200, {"ETag": f'"{body.md5}"'})


def get(store: ObjectStore, call: Call) -> Response:
    found = store.find(call.bucket, call.key)
    try:
        start, stop = _span(call, found)
    except ObsError:
        _close(found)
        raise
    response = Response(_bytes_of(found.file, start, stop), 206 if call.range else 200, direct_passthrough=True)
    response.call_on_close(lambda: _close(found))
    response.headers.update(_headers(call, found))
    response.headers["Content-Length"] = str(stop - start)
    if call.range:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
    return response


def head(store: ObjectStore, call: Call) -> Response:
    found = store.find(call.bucket, call.key)
    _close(found)
    return responses.empty(200, _headers(call, found))


def delete(store: ObjectStore, call: Call) -> Response:
    store.remove(call.bucket, call.key)
    return responses.empty(204)


def delete_several(store: ObjectStore, call: Call) -> Response:
    """Remove the objects listed in the body, and report which failed and why."""
    if "content-md5" not in call.headers:
        raise ObsError("MissingRequiredHeader", "the header Content-MD5 is missing")
    store.bucket(call.bucket)
    document = parse_body(call, "Delete")
    keys = [element.text or "" for element in document.findall("Object/Key")]
    if not 1 <= len(keys) <= MAX_DELETED or document.find("Object/VersionId") is not None:
        raise ObsError("MalformedXML", f"name 1 to {MAX_DELETED} objects, without versions")
    encoding = document.findtext("EncodingType") == "url"
    results: list[Any] = [("EncodingType", "url")] if encoding else []
    for key in keys:
        result = _deleted(store, call.bucket, key, unquote_plus(key) if encoding else key)
        if result[0] == "Error" or document.findtext("Quiet") != "true":
            results.append(result)
    return responses.xml("DeleteResult", results)


def headers_of(call: Call) -> dict[str, str]:
    """The headers stored with an object; user metadata without the prefix of the dialect."""
    prefix = call.dialect.prefix
    own = {name[len(prefix) :]: value for name, value in call.headers.items() if name.startswith(f"{prefix}meta-")}
    return {**{name: call.headers[name] for name in _KEPT_HEADERS if name in call.headers}, **own}


def _put_folder(store: ObjectStore, call: Call) -> Response:
    if call.body.read(1):
        raise ObsError("InvalidArgument", f"{call.key!r}: a key with a slash at its end is a folder, without content")
    check_digest(call, md5().digest())
    store.put_folder(call.bucket, call.key)
    return responses.empty(200, {"ETag": f'"{md5().hexdigest()}"'})


def _deleted(store: ObjectStore, bucket: str, written: str, key: str) -> tuple[str, Any]:
    try:
        store.remove(bucket, key)
    except ObsError as error:
        return "Error", [("Key", written), ("Code", error.code), ("Message", error.message)]
    except OSError as error:
        return "Error", [("Key", written), ("Code", "AccessDenied"), ("Message", error.strerror or "it failed")]
    return "Deleted", [("Key", written)]


def _headers(call: Call, found: Found) -> dict[str, str]:
    prefix = call.dialect.prefix
    kept = {name.title() if name in _KEPT_HEADERS else prefix + name: text for name, text in found.headers.items()}
    return {
        "Content-Type": "binary/octet-stream",
        **kept,
        "Content-Length": str(found.size),
        "ETag": f'"{found.etag}"',
        "Last-Modified": http_date(found.modified),
        "Accept-Ranges": "bytes",
    }


def _span(call: Call, found: Found) -> tuple[int, int]:
    """The requested range: its first byte, and the one after its last."""
    if call.range is None:
        return 0, found.size
    span = call.range.range_for_length(found.size)
    if span is None:
        raise ObsError("InvalidRange", f"the object has {found.size} bytes, and only one range can be requested")
    return span


def _bytes_of(file: IO[bytes] | None, start: int, stop: int) -> Iterator[bytes]:
    if file is None:
        return
    file.seek(start)
    while start < stop:
        chunk = file.read(min(_CHUNK, stop - start))
        if not chunk:
            raise OSError(f"{file.name} was truncated while it was read")
        start += len(chunk)
        yield chunk


def _close(found: Found) -> None:
    if found.file is not None:
        found.file.close()
