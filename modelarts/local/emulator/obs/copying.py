"""Objects from the content of others: copies, parts that are copied, and appended content (obs_04_0082 to 0084)."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote

from werkzeug.wrappers import Response

from modelarts._wire.http_dates import parse_http_date
from modelarts.local import files
from modelarts.local.emulator.obs import responses
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.keys import path_of
from modelarts.local.emulator.obs.metadata import Metadata
from modelarts.local.emulator.obs.multipart import Upload, part_number
from modelarts.local.emulator.obs.object_store import ObjectStore, StoredObject, folder_with_content
from modelarts.local.emulator.obs.objects import APPENDABLE, NEXT_POSITION, chunks_of, stored_headers
from modelarts.local.emulator.obs.request import ObsRequest
from modelarts.local.emulator.obs.request_body import receive_body, store_chunks

COPY_CONDITIONS = tuple(
    f"copy-source-if-{name}" for name in ("match", "none-match", "modified-since", "unmodified-since")
)
_DIRECTIVES = ("COPY", "REPLACE")
_APPENDING = threading.Lock()  # a position is only valid until the next append


# --- copies


def copy(store: ObjectStore, request: ObsRequest) -> Response:
    """Copy an object of any bucket, with its metadata or with those of the request."""
    directive = request.option("metadata-directive") or _DIRECTIVES[0]
    if directive not in _DIRECTIVES:
        raise ObsApiError("InvalidArgument", f"metadata-directive must be COPY or REPLACE, got {directive!r}")
    with _source(store, request) as source:
        headers = stored_headers(request) if directive == "REPLACE" else _without_mark(source.headers)
        if request.key.endswith("/"):
            if source.size:
                raise folder_with_content(request.key)
            store.put_folder(request.bucket, request.key)
            return _copied("CopyObjectResult", md5().hexdigest())
        content = chunks_of(source.file, 0, source.size)
        with store.prepare_folder(request.bucket, request.key) as folder, store_chunks(content, folder) as body:
            store.put(request.bucket, request.key, body.file, Metadata(body.md5, headers))
    return _copied("CopyObjectResult", body.md5)


def copy_part(store: ObjectStore, request: ObsRequest) -> Response:
    """Copy an object, or a range of it, as a part of an upload."""
    upload, number = Upload.of(store, request), part_number(request)
    with _source(store, request) as source:
        start, stop = _copied_range(request, source)
        with store_chunks(chunks_of(source.file, start, stop), upload.folder) as body:
            upload.put(number, body.file, body.md5)
    return _copied("CopyPartResult", body.md5)


@contextmanager
def _source(store: ObjectStore, request: ObsRequest) -> Iterator[StoredObject]:
    """The object to copy from. Raises `ObsApiError`."""
    name, _, version = request.option("copy-source").partition("?")
    if version:
        raise ObsApiError("NotImplemented", "the local service does not implement copies of a version of an object")
    bucket, _, key = unquote(name).lstrip("/").partition("/")
    if not (bucket and key):
        raise ObsApiError("InvalidArgument", f"copy-source must be /bucket/key, percent-encoded, got {name!r}")
    source = store.find(bucket, key)
    try:
        _check_conditions(request, source)
        yield source
    finally:
        source.close()


def _check_conditions(request: ObsRequest, source: StoredObject) -> None:
    """Raise `ObsApiError` unless the object is as the client knows it; dates that cannot be parsed are no condition."""
    match, none_match, since, not_since = map(request.option, COPY_CONDITIONS)
    after, until, modified = parse_http_date(since), parse_http_date(not_since), int(source.modified)
    failed = (
        match.strip('"') not in ("", "*", source.etag),
        none_match.strip('"') in ("*", source.etag),
        after is not None and modified <= after,
        until is not None and modified > until,
    )
    if any(failed):
        name = COPY_CONDITIONS[failed.index(True)]
        raise ObsApiError("PreconditionFailed", f"the object to copy does not meet {name}: {request.option(name)}")


def _copied_range(request: ObsRequest, source: StoredObject) -> tuple[int, int]:
    """The first byte to copy, and the one after the last."""
    text = request.option("copy-source-range")
    if not text:
        return 0, source.size
    with suppress(ValueError):
        first, last = map(int, text.removeprefix("bytes=").split("-"))
        if 0 <= first <= last < source.size:
            return first, last + 1
    raise ObsApiError("InvalidArgument", f"copy-source-range must be bytes=first-last of {source.size}, got {text!r}")


def _copied(root: str, etag: str) -> Response:
    return responses.xml(root, [("LastModified", responses.timestamp(time.time())), ("ETag", f'"{etag}"')])


def _without_mark(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in APPENDABLE}


# --- appending


def append(store: ObjectStore, request: ObsRequest) -> Response:
    """Append content to an object that was created so; its position must be the size of the object."""
    if request.key.endswith("/"):
        raise folder_with_content(request.key)
    position = request.number("position", -1, 0, 1 << 62)
    with store.prepare_folder(request.bucket, request.key) as folder, receive_body(request, folder) as body, _APPENDING:
        size, headers = _appendable(store, request)
        if position != size:
            raise ObsApiError(
                "PositionNotEqualToLength", f"the position must be {size}, the size of the object, got {position}"
            )
        added = body.file.stat().st_size
        if headers is None:
            mark = {**stored_headers(request), **APPENDABLE}
            store.put(request.bucket, request.key, body.file, Metadata(headers=mark))
        else:
            path = path_of(store.bucket(request.bucket), request.key)
            with body.file.open("rb") as content, files.open_to_append(path) as file:
                try:
                    shutil.copyfileobj(content, file)
                except OSError:
                    file.truncate(size)
                    raise
            store.metadata.write(request.bucket, request.key, path.stat(), Metadata(headers=headers))
        grown = store.find(request.bucket, request.key)
        grown.close()
    return responses.empty(200, {"ETag": f'"{grown.etag}"', NEXT_POSITION: str(size + added)})


def _appendable(store: ObjectStore, request: ObsRequest) -> tuple[int, dict[str, str] | None]:
    """Size and headers of the object to append to; of a new one, 0 and none."""
    try:
        found = store.find(request.bucket, request.key)
    except ObsApiError as error:
        if error.code != "NoSuchKey":
            raise
        return 0, None
    found.close()
    if not APPENDABLE.items() <= found.headers.items():
        reason = "it was not created by appending, or was changed in another way since"
        raise ObsApiError("ObjectNotAppendable", f"nothing can be appended to {request.key!r}: {reason}")
    return found.size, found.headers
