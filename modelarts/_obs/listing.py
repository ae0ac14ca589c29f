"""What lies in a bucket of the cloud, page by page."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from modelarts._obs.buckets import Item
from modelarts._obs.checksums import plain
from modelarts._obs.client import Caller
from modelarts._obs.paths import ObsPath

_GONE = 404


def find(caller: Caller, path: ObsPath) -> Item | None:
    """The object of exactly this path."""
    result = caller.call(
        f"look for {path.url}", path.bucket,
        lambda client: client.getObjectMetadata(path.bucket, path.key), allowed=(_GONE,),
    )  # fmt: skip
    if result.status == _GONE:
        return None
    return Item(path.url, int(result.body.contentLength or 0), _of_header(result.body.lastModified), _etag(result.body))


def is_folder(caller: Caller, path: ObsPath) -> bool:
    """Whether a bucket is there, or any object in a folder."""
    if not path.key:
        result = caller.call(
            f"look for {path.url}", path.bucket, lambda client: client.headBucket(path.bucket), allowed=(_GONE,)
        )
        return bool(result.status != _GONE)
    page = _page(caller, path, "", "", 1, allowed=(_GONE,))
    return page.status != _GONE and bool(page.body.contents)


def walk(caller: Caller, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
    """The objects in a folder, and its folders where not `recursive`.

    Raises:
        ObsError: there is no such bucket, or it may not be listed.
    """
    marker = ""
    while True:
        body = _page(caller, folder, marker, "" if recursive else "/", 1000).body
        for prefix in body.commonPrefixs:
            yield Item(ObsPath(folder.bucket, prefix.prefix).url)
        for found in body.contents:
            if found.key != folder.key:  # the folder itself
                path = ObsPath(folder.bucket, found.key)
                yield Item(path.url, int(found.size), _of_listing(found.lastModified), _etag(found))
        if not body.is_truncated:
            return
        marker = body.next_marker or body.contents[-1].key


def _page(
    caller: Caller, folder: ObsPath, marker: str, delimiter: str, most: int, allowed: tuple[int, ...] = ()
) -> Any:
    return caller.call(
        f"list {folder.url}", folder.bucket,
        lambda client: client.listObjects(
            folder.bucket, prefix=folder.key or None, marker=marker or None, max_keys=most,
            delimiter=delimiter or None, encoding_type="url",
        ),
        allowed=allowed,
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
