"""Operations on buckets (obs_04_0020 to 0024)."""

from __future__ import annotations

import os
from typing import Any

from werkzeug.wrappers import Response

from modelarts._obs.paths import BUCKET_RULE, bucket_name_problem
from modelarts.local.emulator.obs import listing, responses
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.multipart import Upload
from modelarts.local.emulator.obs.object_store import Found, ObjectStore, not_empty
from modelarts.local.emulator.obs.xml_body import parse_body

MAX_KEYS = 1000
RESERVED = ("v3.0",)  # paths of IAM at this address


def list_all(store: ObjectStore, call: Call) -> Response:
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


def create(store: ObjectStore, call: Call) -> Response:
    if bucket_name_problem(call.bucket) or call.bucket in RESERVED:
        raise ObsError("InvalidBucketName", f"bucket name {call.bucket!r}: {BUCKET_RULE}; v3.0 is reserved here")
    if call.length:
        named = [element.text for element in parse_body(call, "CreateBucketConfiguration")]
        if named not in ([], [store.region]):
            raise ObsError("InvalidLocationConstraint", f"buckets are in region {store.region} here, not in {named}")
    (store.root / call.bucket).mkdir(parents=True, exist_ok=True)
    return responses.empty(200, {"Location": f"/{call.bucket}"})


def head(store: ObjectStore, call: Call) -> Response:
    store.bucket(call.bucket)
    return responses.empty(200, _location_headers(store, call))


def delete(store: ObjectStore, call: Call) -> Response:
    everything = listing.ListQuery(prefix=b"", delimiter=b"", after=b"", most=1)
    if _page(store, call.bucket, everything).keys:
        raise not_empty(call.bucket, "objects")
    if Upload.all_to(store, call.bucket):
        raise not_empty(call.bucket, "uploads that are neither completed nor aborted")
    store.remove_bucket(call.bucket)
    return responses.empty(204)


def objects(store: ObjectStore, call: Call) -> Response:
    """One page of the objects of a bucket, of at most `max-keys`."""
    given = {name: call.parameters.get(name, "") for name in ("prefix", "marker", "delimiter")}
    most = call.number("max-keys", MAX_KEYS, 0, MAX_KEYS)
    prefix, after, delimiter = (text.encode() for text in given.values())
    query = listing.ListQuery(prefix=prefix, after=after, delimiter=delimiter, most=most)
    page = _page(store, call.bucket, query)
    encoding, written = responses.key_encoding(call)
    content: list[Any] = [
        ("Name", call.bucket),
        *((name.capitalize(), written(text)) for name, text in given.items()),
        ("MaxKeys", most),
        *encoding,
        ("IsTruncated", "true" if page.last else "false"),
    ]
    if page.last:
        content.append(("NextMarker", written(page.last)))
    content += [("Contents", _described(written(key), found, store)) for key, found in _found(store, call, page.keys)]
    content += [("CommonPrefixes", [("Prefix", written(prefix))]) for prefix in page.prefixes]
    response = responses.xml("ListBucketResult", content)
    response.headers.update(_location_headers(store, call))
    return response


def _page(store: ObjectStore, bucket: str, query: listing.ListQuery) -> listing.Page:
    return listing.page(store.bucket(bucket), query, lambda key, path: store.is_object(bucket, key, path))


def _found(store: ObjectStore, call: Call, keys: list[str]) -> list[tuple[str, Found]]:
    """The objects of these keys that still exist."""
    found = []
    for key in keys:
        try:
            one = store.find(call.bucket, key)
        except ObsError:
            continue
        if one.file is not None:
            one.file.close()
        found.append((key, one))
    return found


def _described(key: str, found: Found, store: ObjectStore) -> list[Any]:
    return [
        ("Key", key),
        ("LastModified", responses.timestamp(found.modified)),
        ("ETag", f'"{found.etag}"'),
        ("Size", found.size),
        _owner(store),
        ("StorageClass", "STANDARD"),
    ]


def _owner(store: ObjectStore) -> tuple[str, Any]:
    return "Owner", [("ID", store.owner)]


def _location_headers(store: ObjectStore, call: Call) -> dict[str, str]:
    """The region of a bucket, as the headers of both dialects."""
    return {"x-obs-bucket-location": store.region, "x-amz-bucket-region": store.region}
