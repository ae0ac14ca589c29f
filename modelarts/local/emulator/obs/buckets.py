"""Operations on buckets (obs_04_0020 to 0024)."""

from __future__ import annotations

import os
from typing import Any, Callable
from urllib.parse import quote, unquote

from werkzeug.wrappers import Response

from modelarts._obs.paths import BUCKET_RULE, bucket_name_problem
from modelarts.local.emulator.obs import listing, responses
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.multipart import Upload
from modelarts.local.emulator.obs.object_store import ObjectStore, StoredObject, bucket_not_empty
from modelarts.local.emulator.obs.request import ObsRequest
from modelarts.local.emulator.obs.xml_body import parse_xml_body

MAX_KEYS = 1000
RESERVED_NAMES = ("v3.0",)  # begin the paths of IAM at this address


def list_all(store: ObjectStore, request: ObsRequest) -> Response:
    with os.scandir(store.root) as entries:
        found = [entry for entry in entries if entry.is_dir() and not bucket_name_problem(entry.name)]
    buckets = [
        ("Bucket", [
            ("Name", entry.name),
            ("CreationDate", responses.timestamp(entry.stat().st_ctime)),
            ("Location", store.region),
        ])
        for entry in sorted(found, key=lambda entry: entry.name)
    ]  # fmt: skip
    return responses.xml("ListAllMyBucketsResult", [_owner(store), ("Buckets", buckets)])


def create(store: ObjectStore, request: ObsRequest) -> Response:
    if bucket_name_problem(request.bucket) or request.bucket in RESERVED_NAMES:
        raise ObsApiError("InvalidBucketName", f"bucket name {request.bucket!r}: {BUCKET_RULE}; v3.0 is reserved here")
    if request.length:
        regions = [element.text for element in parse_xml_body(request, "CreateBucketConfiguration")]
        if regions not in ([], [store.region]):
            message = f"the region of all buckets is {store.region} here, got {regions}"
            raise ObsApiError("InvalidLocationConstraint", message)
    (store.root / request.bucket).mkdir(parents=True, exist_ok=True)
    return responses.empty(200, {"Location": f"/{request.bucket}"})


def head(store: ObjectStore, request: ObsRequest) -> Response:
    store.bucket(request.bucket)
    return responses.empty(200, _location_headers(store))


def delete(store: ObjectStore, request: ObsRequest) -> Response:
    any_object = listing.ListQuery(prefix=b"", delimiter=b"", marker=b"", limit=1)
    if _page(store, request.bucket, any_object).keys:
        raise bucket_not_empty(request.bucket, "objects")
    if Upload.list_all(store, request.bucket):
        raise bucket_not_empty(request.bucket, "multipart uploads that are neither completed nor aborted")
    store.remove_bucket(request.bucket)
    return responses.empty(204)


def objects(store: ObjectStore, request: ObsRequest) -> Response:
    """One page of the objects of a bucket, of at most `max-keys`."""
    limit = request.number("max-keys", MAX_KEYS, 0, MAX_KEYS)
    prefix, delimiter = request.parameters.get("prefix", ""), request.parameters.get("delimiter", "")
    marker = _marker(request)
    query = listing.ListQuery(
        prefix=prefix.encode(), marker=marker.encode(), delimiter=delimiter.encode(), limit=limit
    )  # fmt: skip
    page = _page(store, request.bucket, query)
    encoding, encode = responses.key_encoding(request)
    content: list[Any] = [
        ("Name", request.bucket),
        ("Prefix", encode(prefix)),
        *_position(request, page, encode),
        ("Delimiter", encode(delimiter)),
        ("MaxKeys", limit),
        *encoding,
        ("IsTruncated", "true" if page.next_marker else "false"),
    ]
    for key, stored in _find_all(store, request.bucket, page.keys):
        content.append(("Contents", _object_elements(encode(key), stored, store)))
    content += [("CommonPrefixes", [("Prefix", encode(each))]) for each in page.prefixes]
    response = responses.xml("ListBucketResult", content)
    response.headers.update(_location_headers(store))
    return response


def _list_type(request: ObsRequest) -> str:
    """`2` for the second version of the list of S3, whose position is a token; else an empty text."""
    given = request.parameters.get("list-type", "")
    if given not in ("", "2"):
        raise ObsApiError("InvalidArgument", f"list-type must be 2 or left out, got {given!r}")
    return given


def _marker(request: ObsRequest) -> str:
    """The key after which a page begins."""
    parameters = request.parameters
    if not _list_type(request):
        return parameters.get("marker", "")
    return unquote(parameters.get("continuation-token", "")) or parameters.get("start-after", "")


def _position(request: ObsRequest, page: listing.Page, encode: Callable[[str], str]) -> list[tuple[str, Any]]:
    """Where this page begins, and where the next one does."""
    parameters = request.parameters
    if not _list_type(request):
        following = [("NextMarker", encode(page.next_marker))] if page.next_marker else []
        return [("Marker", encode(parameters.get("marker", ""))), *following]
    given = [("ContinuationToken", parameters["continuation-token"])] if "continuation-token" in parameters else []
    after = [("StartAfter", encode(parameters["start-after"]))] if "start-after" in parameters else []
    following = [("NextContinuationToken", quote(page.next_marker))] if page.next_marker else []
    return [*given, *after, *following, ("KeyCount", len(page.keys) + len(page.prefixes))]


def _page(store: ObjectStore, bucket: str, query: listing.ListQuery) -> listing.Page:
    return listing.list_page(store.bucket(bucket), query, lambda key, path: store.is_object(bucket, key, path))


def _find_all(store: ObjectStore, bucket: str, keys: list[str]) -> list[tuple[str, StoredObject]]:
    """The objects of these keys that still exist."""
    found = []
    for key in keys:
        try:
            stored = store.find(bucket, key)
        except ObsApiError:
            continue
        stored.close()
        found.append((key, stored))
    return found


def _object_elements(key: str, stored: StoredObject, store: ObjectStore) -> list[Any]:
    return [
        ("Key", key),
        ("LastModified", responses.timestamp(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("Size", stored.size),
        _owner(store),
        ("StorageClass", "STANDARD"),
    ]


def _owner(store: ObjectStore) -> tuple[str, Any]:
    return "Owner", [("ID", store.owner)]


def _location_headers(store: ObjectStore) -> dict[str, str]:
    """The region of a bucket, as the headers of both dialects."""
    return {"x-obs-bucket-location": store.region, "x-amz-bucket-region": store.region}
