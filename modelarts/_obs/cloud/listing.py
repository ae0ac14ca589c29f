"""The contents of a bucket in the cloud, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from typing import Callable, Optional, Union
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from modelarts._obs.backend import Item
from modelarts._obs.cloud.checksums import plain
from modelarts._obs.cloud.client import ObsClient
from modelarts._obs.cloud.messages import ObsReply, ObsRequest, child, children
from modelarts._obs.paths import ObsPath
from modelarts._wire.http_dates import parse_http_date

PAGE = 1000
_GONE = 404
_NOT_OURS = (403, 405, 501)  # not permitted, or not offered by another cloud


def find(client: ObsClient, path: ObsPath) -> Optional[Item]:
    """The object of exactly this path."""
    request = ObsRequest(method="HEAD", bucket=path.bucket, key=path.key)
    reply = client.call(f"look for {path.url}", request, allowed=(_GONE,), required_field="ETag")
    if reply.status == _GONE:
        return None
    size, etag = int(reply.headers.get("Content-Length") or 0), plain(reply.headers["ETag"])
    return Item(path.url, size, _of_header(reply.headers.get("Last-Modified", "")), etag)


def is_folder(client: ObsClient, path: ObsPath) -> bool:
    """Whether a bucket exists, or any object in a folder."""
    if not path.key:
        request = ObsRequest(method="HEAD", bucket=path.bucket)
        return client.call(f"look for {path.url}", request, allowed=(_GONE,)).status != _GONE
    reply = _page(client, path, {"max-keys": "1"}, allowed=(_GONE,))
    return reply.status != _GONE and bool(children(reply.document, "Contents"))


def walk(client: ObsClient, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
    """The objects in a folder, and its folders where not `recursive`, in the order of keys.

    Raises:
        ObsError: there is no such bucket, or it may not be listed.
    """
    query = {"max-keys": str(PAGE), **({} if recursive else {"delimiter": "/"})}
    marker = ""
    while True:
        page = _page(client, folder, {**query, **({"marker": marker} if marker else {})}).document
        text = _decoder(page)
        items = [Item(ObsPath(folder.bucket, text(found, "Prefix")).url) for found in children(page, "CommonPrefixes")]
        last = ""
        for found in children(page, "Contents"):
            last = text(found, "Key")
            if last != folder.key:  # the folder itself
                size, modified = int(child(found, "Size") or 0), _of_listing(child(found, "LastModified"))
                items.append(Item(ObsPath(folder.bucket, last).url, size, modified, plain(child(found, "ETag"))))
        yield from sorted(items, key=lambda item: item.url)
        if child(page, "IsTruncated") != "true":
            return
        marker = text(page, "NextMarker") or last


def uploads(client: ObsClient, folder: ObsPath) -> Iterator[tuple[str, str]]:
    """Key and id of the unfinished uploads to a folder; none where they may not be listed."""
    after: dict[str, Optional[str]] = {}
    prefix = {"prefix": folder.key} if folder.key else {}
    while True:
        request = ObsRequest(
            method="GET", bucket=folder.bucket, query={"uploads": None, "encoding-type": "url", **prefix, **after}
        )
        action = f"list the unfinished uploads to {folder.url}"
        reply = client.call(action, request, allowed=_NOT_OURS, required_field="Bucket")
        if reply.status in _NOT_OURS:
            return
        page = reply.document
        text = _decoder(page)
        yield from ((text(found, "Key"), child(found, "UploadId")) for found in children(page, "Upload"))
        if child(page, "IsTruncated") != "true":
            return
        after = {"key-marker": text(page, "NextKeyMarker"), "upload-id-marker": child(page, "NextUploadIdMarker")}


def _page(
    client: ObsClient, folder: ObsPath, query: dict[str, str], allowed: Collection[Union[int, str]] = ()
) -> ObsReply:
    prefix = {"prefix": folder.key} if folder.key else {}
    request = ObsRequest(method="GET", bucket=folder.bucket, query={**prefix, **query, "encoding-type": "url"})
    return client.call(f"list {folder.url}", request, allowed=allowed, required_field="Name")


def _decoder(page: Element) -> Callable[[Element, str], str]:
    """Reads the text of a child that is percent-encoded where the page says so."""
    if child(page, "EncodingType") == "url":
        return lambda element, name: unquote_plus(child(element, name))
    return child


def _of_header(text: str) -> Optional[datetime]:
    """The time of `Mon, 15 Jan 2024 12:30:45 GMT`."""
    found = parse_http_date(text)
    return None if found is None else datetime.fromtimestamp(found, timezone.utc)


def _of_listing(text: str) -> Optional[datetime]:
    """The time of `2024-01-15T12:30:45.000Z`."""
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
