"""`session.obs` over the buckets of the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Callable

from modelarts._auth.signing import Auth
from modelarts._obs.backend import Item
from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud import checksums, esdk, listing, uploads
from modelarts._obs.cloud.client import ObsClient
from modelarts._obs.cloud.downloads import Download
from modelarts._obs.cloud.errors import not_obs_reply
from modelarts._obs.cloud.messages import ObsRequest, child, children, document, local_name
from modelarts._obs.failures import FAILED
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import resume_state
from modelarts._obs.transfer.worker_pool import Task, Transfer, create_meter
from modelarts._transport.options import TransportOptions
from modelarts.errors import ObsError

_REFUSED, _GONE = 403, 404
_DELETED_AT_ONCE = 1000


class HuaweiBuckets(Buckets):
    """Buckets in OBS.

    Args:
        endpoint: address, such as `https://obs.cn-north-4.myhuaweicloud.com`.
        auth: gives the access keys for each request, because temporary ones are renewed.
        home: folder of state; `transfers` in it holds what is needed to resume a large file.
        options: timeouts, proxies and certificates.
        region: where new buckets are created.
        part_size: larger files are transferred in parts of this size.
        timeouts: those of the thread that calls, where they differ from those of `options`.
    """

    def __init__(
        self, endpoint: str, auth: Auth, home: Path,
        options: TransportOptions | None = None, region: str = "", part_size: int = checksums.PART_SIZE,
        timeouts: Callable[[], TransportOptions] | None = None,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self.part_size = part_size
        self._client = ObsClient(endpoint, auth, options or TransportOptions(), region, timeouts)
        self._records = home / "transfers"

    def __repr__(self) -> str:
        return f"HuaweiBuckets({self.endpoint!r})"

    def client(self) -> Any:
        """An `ObsClient` of `esdk-obs-python` of the caller's own, with the keys of now."""
        return esdk.new_client(self._client)

    def close(self) -> None:
        self._client.close()

    def _timeouts(self) -> TransportOptions:
        return self._client.timeouts()

    def _create_bucket(self, name: str) -> None:
        action = f"create bucket {name!r}"
        found = self._client.call(action, ObsRequest(method="HEAD", bucket=name), allowed=(_GONE, _REFUSED))
        if found.status >= 300:
            self._client.create_bucket(action, name)

    def _remove_bucket(self, name: str) -> None:
        self._client.call(f"delete bucket {name!r}", ObsRequest(method="DELETE", bucket=name))

    def _find(self, path: ObsPath) -> Item | None:
        return listing.find(self._client, path)

    def _is_folder(self, path: ObsPath) -> bool:
        return listing.is_folder(self._client, path)

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        return listing.walk(self._client, folder, recursive)

    def _has_content(self, file: Path, item: Item) -> bool:
        part_size = checksums.part_size_of(item.size, self.part_size)
        return checksums.same(file, item.etag, item.size, part_size)

    def _has_unfinished_upload(self, target: ObsPath) -> bool:
        return resume_state.exists(self._records, *uploads.identity(self._client, target))

    def _upload_tasks(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        _require_utf8(target)
        return uploads.Upload(self._client, source, target, transfer, self.part_size, self._records).tasks()

    def _download_tasks(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        return Download(self._client, item, target, transfer, self.part_size, self._records).tasks()

    def _remove(self, path: ObsPath, transfer: Transfer | None = None) -> None:
        request = ObsRequest(method="DELETE", bucket=path.bucket, key=path.key)
        self._client.call(f"delete {path.url}", request, transfer)

    def _remove_folder(self, folder: ObsPath) -> None:
        transfer = Transfer(self.threads, create_meter(f"delete {folder.url}", False), self._timeouts())
        transfer.run(self._removals(folder, transfer))

    def _removals(self, folder: ObsPath, transfer: Transfer) -> Iterator[Task]:
        keys: list[str] = [folder.key] if folder.key else []  # the object that stands for the folder, if there is one
        for item in self._walk(folder):
            if not item.path.key.isprintable():  # XML cannot carry every character
                yield partial(self._remove, item.path, transfer)
                continue
            keys.append(item.path.key)
            if len(keys) == _DELETED_AT_ONCE:
                yield partial(self._remove_keys, folder, keys, transfer)
                keys = []
        if keys:
            yield partial(self._remove_keys, folder, keys, transfer)
        for key, upload_id in listing.uploads(self._client, folder):  # a bucket with one in it is not empty
            yield partial(self._abort, ObsPath(folder.bucket, key), upload_id, transfer)

    def _abort(self, path: ObsPath, upload_id: str, transfer: Transfer) -> None:
        request = ObsRequest(method="DELETE", bucket=path.bucket, key=path.key, query={"uploadId": upload_id})
        self._client.call(f"abort the unfinished upload to {path.url}", request, transfer, (_GONE,))

    def _remove_keys(self, folder: ObsPath, keys: list[str], transfer: Transfer) -> None:
        action = f"delete {folder.url}"
        body = document("Delete", [("Quiet", "true"), *(("Object", [("Key", key)]) for key in keys)])
        headers = {"Content-MD5": checksums.as_header(checksums.md5(body).digest())}
        request = ObsRequest(method="POST", bucket=folder.bucket, query={"delete": None}, headers=headers, body=body)
        reply = self._client.call(action, request, transfer)
        if local_name(reply.document) != "DeleteResult":
            raise not_obs_reply(action, reply.status, self.endpoint)
        errors = children(reply.document, "Error")
        if errors:
            key, code, message = (child(errors[0], name) for name in ("Key", "Code", "Message"))
            more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            raise ObsError(f"cannot delete {key!r}{more}: {code}: {message}", FAILED)

    def _create_folder(self, folder: ObsPath) -> None:
        if not folder.key:
            self._require_bucket(folder.bucket)
            return
        _require_utf8(folder)
        request = ObsRequest(method="PUT", bucket=folder.bucket, key=folder.key)
        self._client.call(f"create {folder.url}", request, required_field="ETag")


def _require_utf8(path: ObsPath) -> None:
    try:
        path.key.encode()
    except UnicodeEncodeError:
        raise ObsError(f"{path.url!r}: this name is not UTF-8, as names of objects must be; rename the file") from None
