"""Operations on buckets (obs_04_0020 to 0024)."""

from __future__ import annotations

import os
from typing import Any

from werkzeug.wrappers import Response

from modelarts._obs.paths import BUCKET_RULE, bucket_name_problem
from modelarts.local.emulator.obs import listing, responses
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.multipart import Upload
from modelarts.local.emulator.obs.object_store import Found, ObjectStore, not_empty
from modelarts.local.emulator.obs.xml_body import document_of

MOST_KEYS = 1000
TAKEN = ("v3.0",)  # names that are paths of IAM at this address


def list_all(shelf: ObjectStore, call: Call) -> Response:
    with os.scandir(shelf.root) as entries:
        found = [entry for entry in entries if entry.is_dir() and not bucket_name_problem(entry.name)]
    buckets = [
        ("Bucket", [
            ("Name", entry.name), ("CreationDate", responses.moment(entry.stat().st_ctime)), ("Location", shelf.region),
        ])
        for entry in sorted(found, key=lambda entry: entry.name)
    ]  # fmt: skip
    return responses.xml("ListAllMyBucketsResult", [_owner(shelf), ("Buckets", buckets)])


def create(shelf: ObjectStore, call: Call) -> Response:
    if bucket_name_problem(call.bucket) or call.bucket in TAKEN:
        raise ObsRefusal("InvalidBucketName", f"bucket name {call.bucket!r}: {BUCKET_RULE}; v3.0 is taken here")
    if call.length:
        named = [element.text for element in document_of(call, "CreateBucketConfiguration")]
        if named not in ([], [shelf.region]):
            raise ObsRefusal("InvalidLocationConstraint", f"buckets are in region {shelf.region} here, not in {named}")
    (shelf.root / call.bucket).mkdir(parents=True, exist_ok=True)
    return responses.empty(200, {"Location": f"/{call.bucket}"})


def head(shelf: ObjectStore, call: Call) -> Response:
    shelf.bucket(call.bucket)
    return responses.empty(200, _place(shelf, call))


def delete(shelf: ObjectStore, call: Call) -> Response:
    everything = listing.Wanted(prefix=b"", delimiter=b"", after=b"", most=1)
    if _page(shelf, call.bucket, everything).keys:
        raise not_empty(call.bucket, "objects")
    if Upload.all_to(shelf, call.bucket):
        raise not_empty(call.bucket, "uploads that are neither completed nor aborted")
    shelf.remove_bucket(call.bucket)
    return responses.empty(204)


def objects(shelf: ObjectStore, call: Call) -> Response:
    """The objects of a bucket, `max-keys` at once."""
    given = {name: call.parameters.get(name, "") for name in ("prefix", "marker", "delimiter")}
    most = call.number("max-keys", MOST_KEYS, 0, MOST_KEYS)
    prefix, after, delimiter = (text.encode() for text in given.values())
    wanted = listing.Wanted(prefix=prefix, after=after, delimiter=delimiter, most=most)
    page = _page(shelf, call.bucket, wanted)
    encoding, written = responses.keys_as(call)
    content: list[Any] = [
        ("Name", call.bucket),
        *((name.capitalize(), written(text)) for name, text in given.items()),
        ("MaxKeys", most),
        *encoding,
        ("IsTruncated", "true" if page.last else "false"),
    ]
    if page.last:
        content.append(("NextMarker", written(page.last)))
    content += [("Contents", _described(written(key), found, shelf)) for key, found in _found(shelf, call, page.keys)]
    content += [("CommonPrefixes", [("Prefix", written(prefix))]) for prefix in page.prefixes]
    response = responses.xml("ListBucketResult", content)
    response.headers.update(_place(shelf, call))
    return response


def _page(shelf: ObjectStore, bucket: str, wanted: listing.Wanted) -> listing.Page:
    return listing.page(shelf.bucket(bucket), wanted, lambda key, place: shelf.is_object(bucket, key, place))


def _found(shelf: ObjectStore, call: Call, keys: list[str]) -> list[tuple[str, Found]]:
    """The objects of these keys that are still there."""
    found = []
    for key in keys:
        try:
            one = shelf.find(call.bucket, key)
        except ObsRefusal:
            continue
        if one.file is not None:
            one.file.close()
        found.append((key, one))
    return found


def _described(key: str, found: Found, shelf: ObjectStore) -> list[Any]:
    return [
        ("Key", key),
        ("LastModified", responses.moment(found.modified)),
        ("ETag", f'"{found.etag}"'),
        ("Size", found.size),
        _owner(shelf),
        ("StorageClass", "STANDARD"),
    ]


def _owner(shelf: ObjectStore) -> tuple[str, Any]:
    return "Owner", [("ID", shelf.owner)]


def _place(shelf: ObjectStore, call: Call) -> dict[str, str]:
    """Where a bucket is, as either dialect has it."""
    return {"x-obs-bucket-location": shelf.region, "x-amz-bucket-region": shelf.region}
