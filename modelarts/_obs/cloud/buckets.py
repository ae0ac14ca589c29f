"""`session.obs` over the buckets of the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Callable

from modelarts._auth.signing import Auth
from modelarts._obs.backend import Item
from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud import checksums, listing, uploads
from modelarts._obs.cloud.client import ObsClient, esdk
from modelarts._obs.cloud.downloads import Download
from modelarts._obs.cloud.errors import not_obs_reply
from modelarts._obs.failures import FAILED
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import resume_state
from modelarts._obs.transfer.worker_pool import Task, Transfer, create_meter
from modelarts._transport.options import TransportOptions
from modelarts.errors import ObsError

_REFUSED, _GONE = 403, 404
_DELETED_AT_ONCE = 1000


class HuaweiBuckets(Buckets):
    """Buckets in OBS, through the package `esdk-obs-python` (the extra `obs`), which the first call imports.

    Args:
        endpoint: address, such as `https://obs.cn-north-4.myhuaweicloud.com`.
        auth: gives the access keys; asked again and again, because temporary ones are renewed.
        home: folder of state; `transfers` in it holds what is needed to go on with a large file.
        sending: time-outs and certificates.
        region: where new buckets are made.
        part_size: files above it are moved in parts of it.
        time_outs: those of the thread that calls, where they differ from those of `sending`.
    """

    def __init__(
        self, endpoint: str, auth: Auth, home: Path,
        sending: TransportOptions | None = None, region: str = "", part_size: int = checksums.PART_SIZE,
        timeouts: Callable[[], TransportOptions] | None = None,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self.part_size = part_size
        self._caller = ObsClient(endpoint, auth, sending or TransportOptions(), region, timeouts)
        self._records = home / "transfers"

    def __repr__(self) -> str:
        return f"HuaweiBuckets({self.endpoint!r})"

    def client(self) -> Any:
        """An `ObsClient` of `esdk-obs-python` of the caller's own, with the keys of now."""
        return self._caller.new_client()

    def close(self) -> None:
        self._caller.close()

    def _timeouts(self) -> TransportOptions:
        return self._caller.timeouts()

    def _create_bucket(self, name: str) -> None:
        doing = f"create bucket {name!r}"
        found = self._call(doing, name, lambda client: client.headBucket(name), (_GONE, _REFUSED))
        if found.status < 300:
            return
        place = self._caller.region or None
        self._call(doing, name, lambda client: client.createBucket(name, location=place), ("BucketAlreadyOwnedByYou",))

    def _remove_bucket(self, name: str) -> None:
        self._call(f"delete bucket {name!r}", name, lambda client: client.deleteBucket(name))

    def _find(self, path: ObsPath) -> Item | None:
        return listing.find(self._caller, path)

    def _is_folder(self, path: ObsPath) -> bool:
        return listing.is_folder(self._caller, path)

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        return listing.walk(self._caller, folder, recursive)

    def _has_content(self, file: Path, item: Item) -> bool:
        part_size = checksums.part_size_of(item.size, self.part_size)
        return checksums.same(file, item.etag, item.size, part_size)

    def _has_unfinished_upload(self, target: ObsPath) -> bool:
        return resume_state.exists(self._records, *uploads.identity(self._caller, target))

    def _upload_tasks(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Task]:
        _require_utf8(target)
        return uploads.Upload(self._caller, source, target, transfer, self.part_size, self._records).units()

    def _download_tasks(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Task]:
        return Download(self._caller, item, target, transfer, self.part_size, self._records).units()

    def _remove(self, path: ObsPath, transfer: Transfer | None = None) -> None:
        doing = f"delete {path.url}"
        self._call(doing, path.bucket, lambda client: client.deleteObject(path.bucket, path.key), transfer=transfer)

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
        for key, upload_id in listing.uploads(self._caller, folder):  # a bucket with one in it is not empty
            yield partial(self._abort, ObsPath(folder.bucket, key), upload_id, transfer)

    def _abort(self, path: ObsPath, upload_id: str, transfer: Transfer) -> None:
        self._call(
            f"end the unfinished upload to {path.url}", path.bucket,
            lambda client: client.abortMultipartUpload(path.bucket, path.key, upload_id), (_GONE,), transfer,
        )  # fmt: skip

    def _remove_keys(self, folder: ObsPath, keys: list[str], transfer: Transfer) -> None:
        package = esdk()
        request = package.DeleteObjectsRequest(quiet=True, objects=[package.Object(key) for key in keys])
        result = self._call(
            f"delete {folder.url}", folder.bucket, lambda client: client.deleteObjects(folder.bucket, request),
            transfer=transfer,
        )  # fmt: skip
        if result.body is None:
            raise not_obs_reply(f"delete {folder.url}", result, self.endpoint)
        errors = result.body.error
        if errors:
            first, more = errors[0], f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            raise ObsError(f"cannot delete {first.key!r}{more}: {first.code}: {first.message}", FAILED)

    def _create_folder(self, folder: ObsPath) -> None:
        if not folder.key:
            self._require_bucket(folder.bucket)
            return
        _require_utf8(folder)
        self._caller.call(
            f"create {folder.url}", folder.bucket, lambda client: client.putContent(folder.bucket, folder.key, b""),
            proof="etag",
        )  # fmt: skip

    def _call(
        self, doing: str, bucket: str, act: Any, allowed: tuple[int | str, ...] = (), transfer: Transfer | None = None
    ) -> Any:
        return self._caller.call(doing, bucket, act, transfer, allowed)


def _require_utf8(path: ObsPath) -> None:
    try:
        path.key.encode()
    except UnicodeEncodeError:
        raise ObsError(f"{path.url!r}: this name is not UTF-8, as names of objects must be; rename the file") from None
