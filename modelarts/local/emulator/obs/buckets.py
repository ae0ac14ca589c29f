"""Operations on buckets (obs_04_0020 to 0024)."""

from __future__ import annotations

import os
from typing import Any

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
    parameters = {name: request.parameters.get(name, "") for name in ("prefix", "marker", "delimiter")}
    limit = request.number("max-keys", MAX_KEYS, 0, MAX_KEYS)
    prefix, marker, delimiter = (text.encode() for text in parameters.values())
    query = listing.ListQuery(prefix=prefix, marker=marker, delimiter=delimiter, limit=limit)
    page = _page(store, request.bucket, query)
    encoding, encode = responses.key_encoding(request)
    content: list[Any] = [
        ("Name", request.bucket),
        *((name.capitalize(), encode(text)) for name, text in parameters.items()),
        ("MaxKeys", limit),
        *encoding,
        ("IsTruncated", "true" if page.next_marker else "false"),
    ]
    if page.next_marker:
        content.append(("NextMarker", encode(page.next_marker)))
    for key, stored in _find_all(store, request.bucket, page.keys):
        content.append(("Contents", _object_elements(encode(key), stored, store)))
    content += [("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in page.prefixes]
    response = responses.xml("ListBucketResult", content)
    response.headers.update(_location_headers(store))
    return response


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
