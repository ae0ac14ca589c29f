"""What lies in a bucket of the cloud, page by page."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from modelarts._obs.backend import Item
from modelarts._obs.cloud.checksums import plain
from modelarts._obs.cloud.client import ObsClient, esdk
from modelarts._obs.paths import ObsPath

_GONE = 404
_NOT_OURS = (403, 405, 501)  # not permitted, or not offered by a cloud of one's own


def find(caller: ObsClient, path: ObsPath) -> Item | None:
    """The object of exactly this path."""
    result = caller.call(
        f"look for {path.url}", path.bucket,
        lambda client: client.getObjectMetadata(path.bucket, path.key), allowed=(_GONE,), proof="etag",
    )  # fmt: skip
    if result.status == _GONE:
        return None
    return Item(path.url, int(result.body.contentLength or 0), _of_header(result.body.lastModified), _etag(result.body))


def is_folder(caller: ObsClient, path: ObsPath) -> bool:
    """Whether a bucket is there, or any object in a folder."""
    if not path.key:
        result = caller.call(
            f"look for {path.url}", path.bucket, lambda client: client.headBucket(path.bucket), allowed=(_GONE,)
        )
        return bool(result.status != _GONE)
    page = _page(caller, path, "", "", 1, allowed=(_GONE,))
    return page.status != _GONE and bool(page.body.contents)


def walk(caller: ObsClient, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
    """The objects in a folder, and its folders where not `recursive`, in the order of keys.

    Raises:
        ObsError: there is no such bucket, or it may not be listed.
    """
    marker = ""
    while True:
        body = _page(caller, folder, marker, "" if recursive else "/", 1000).body
        items = [Item(ObsPath(folder.bucket, prefix.prefix).url) for prefix in body.commonPrefixs]
        for found in body.contents:
            if found.key != folder.key:  # the folder itself
                path = ObsPath(folder.bucket, found.key)
                items.append(Item(path.url, int(found.size), _of_listing(found.lastModified), _etag(found)))
        yield from sorted(items, key=lambda item: item.url)
        if not body.is_truncated:
            return
        marker = body.next_marker or body.contents[-1].key


def uploads(caller: ObsClient, folder: ObsPath) -> Iterator[tuple[str, str]]:
    """Key and id of the uploads to a folder that were begun and not ended; none where they may not be listed."""
    package = esdk()
    after = {"key_marker": None, "upload_id_marker": None}
    while True:
        request = package.ListMultipartUploadsRequest(prefix=folder.key or None, **after)
        act = partial(_uploads_page, folder.bucket, request)
        doing = f"list the unfinished uploads to {folder.url}"
        result = caller.call(doing, folder.bucket, act, allowed=_NOT_OURS, proof="bucket")
        if result.status in _NOT_OURS:
            return
        yield from ((upload.key, upload.uploadId) for upload in result.body.upload or [])
        if not result.body.isTruncated:
            return
        after = {"key_marker": result.body.nextKeyMarker, "upload_id_marker": result.body.nextUploadIdMarker}


def _uploads_page(bucket: str, request: Any, client: Any) -> Any:
    return client.listMultipartUploads(bucket, request, encoding_type="url")


def _page(
    caller: ObsClient, folder: ObsPath, marker: str, delimiter: str, most: int, allowed: tuple[int, ...] = ()
) -> Any:
    return caller.call(
        f"list {folder.url}", folder.bucket,
        lambda client: client.listObjects(
            folder.bucket, prefix=folder.key or None, marker=marker or None, max_keys=most,
            delimiter=delimiter or None, encoding_type="url",
        ),
        allowed=allowed, proof="name",
    )  # fmt: skip


def _etag(found: Any) -> str:
    return plain(found.etag)


def _of_header(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text or "").astimezone(timezone.utc)
    except (TypeError, ValueError):
        return None


def _of_listing(text: str | None) -> datetime | None:
    """The moment of a time as the package gives it: local, but without regard to daylight saving."""
    try:
        local = time.mktime(time.strptime(text or "", "%Y/%m/%d %H:%M:%S"))
    except ValueError:
        return None
    return datetime.fromtimestamp(calendar.timegm(time.localtime(local + time.timezone)), timezone.utc)
