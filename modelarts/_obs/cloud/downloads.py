"""Objects on their way from OBS: small ones in one piece, large ones in parts that need not be fetched twice."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Callable, Optional

import requests

from modelarts._obs.backend import Item
from modelarts._obs.cloud import checksums
from modelarts._obs.cloud.client import ObsClient
from modelarts._obs.cloud.messages import ObsReply, ObsRequest, receive_xml
from modelarts._obs.failures import FAILED, NOT_FOUND, report_os_errors
from modelarts._obs.transfer.part_file import PartFile
from modelarts._obs.transfer.resume_state import ResumeState
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError

logger = logging.getLogger("modelarts")

_GONE, _UNSATISFIABLE = 404, 416


class _Sink:
    """A range of a file to write to; its failures are errors of the local file system."""

    def __init__(self, file: PartFile, offset: int, action: str, transfer: Transfer) -> None:
        self._file = file
        self._offset = offset
        self._action = action
        self._transfer = transfer
        self._written = 0

    def write(self, chunk: bytes) -> None:
        self._transfer.check()
        with report_os_errors(self._action):
            self._file.write(chunk, self._offset + self._written)
        self._written += len(chunk)
        self._transfer.moved(len(chunk))

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # another attempt starts again
            self._transfer.meter.moved(-self._written)


class Download:
    """One object for one local file.

    It is written to a part file, which is renamed when it is complete. Its size is always checked, its content where
    the ETag is an MD5, or computed from those of the parts. A difference is an error only where it is known how the
    object was uploaded.

    Args:
        client: makes the requests.
        item: the object.
        target: the local file.
        transfer: what the download belongs to.
        part_size: the size of parts; an object up to it is downloaded in one request.
        records: folder of the records of large downloads.
    """

    def __init__(
        self, client: ObsClient, item: Item, target: Path, transfer: Transfer, part_size: int, records: Path
    ) -> None:
        self._client = client
        self._path = item.path
        self._etag = checksums.plain(item.etag)
        self._size = item.size
        self._target = target
        self._transfer = transfer
        self._action = f"download {item.url}"
        self._part_size = checksums.part_size_of(item.size, part_size)
        self._ranges = list(checksums.ranges(item.size, self._part_size))
        self._records = records
        self._encrypted = self._appended = False
        self._marked = 0  # the size of the parts according to the metadata of the object
        self._there: dict[int, str] = {}
        self._digests: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def tasks(self) -> Iterator[Task]:
        """The work: one task for a small object, one for each part of a large one; the last completes the file."""
        if self._size <= self._part_size:
            yield self._fetch_whole
            return
        with report_os_errors(self._action):
            self._partial = PartFile(self._target)
            where = str(self._target.absolute())
            self._record = ResumeState(self._records, "download", self._client.endpoint, self._path.url, where)
            self._transfer.at_end(self._leave)
            self._begin()
        for number, offset, length in self._ranges:
            yield partial(self._fetch_part, number, offset, length)

    # --- in one request

    def _fetch_whole(self) -> None:
        self._transfer.check()
        with report_os_errors(self._action):
            self._partial = PartFile(self._target)
            try:
                digest = self._digests[1] = self._fetch(0, None)
                self._check(lambda: digest)
                self._put_in_place()
            finally:
                self._partial.remove()

    # --- in parts

    def _begin(self) -> None:
        """Resume what an earlier attempt downloaded of the same object, or begin."""
        head, self._there = self._record.read()
        object_ = {"url": self._path.url, "etag": self._etag, "size": self._size, "part_size": self._part_size}
        if head != object_ or self._partial.path.stat().st_size != self._size:
            self._there = {}
            self._partial.begin(self._size)
            self._record.begin(object_)

    def _leave(self) -> None:
        """An incomplete part file is kept as long as there is a record of it."""
        if not self._record.is_ours:
            self._partial.remove()
        elif not self._partial.leave():
            self._record.remove()
        self._record.close()

    def _fetch_part(self, number: int, offset: int, length: int) -> None:
        self._transfer.check()
        with report_os_errors(self._action):
            digest = checksums.md5_of(self._partial.path, offset, length) if number in self._there else b""
            if digest and digest.hex() == self._there[number]:
                self._transfer.moved(length)
            else:
                digest = self._fetch(offset, length)
                self._record.done(number, digest.hex())
            with self._lock:
                self._digests[number] = digest
                last = len(self._digests) == len(self._ranges)
            if last:
                self._complete()

    def _complete(self) -> None:
        try:
            self._check(lambda: checksums.md5_of(self._partial.path))
        except ObsError:  # damaged content is of no use to a later attempt
            self._record.remove()
            self._partial.remove()
            raise
        self._put_in_place()
        self._record.remove()

    # --- both

    def _fetch(self, offset: int, length: Optional[int]) -> bytes:
        """Write a range of the object, or all of it, into the part file; each attempt begins anew. The MD5 of it."""
        headers = {} if length is None else {"Range": f"bytes={offset}-{offset + length - 1}"}
        digest = checksums.md5()

        def receive(reply: requests.Response) -> None:
            nonlocal digest
            if reply.status_code >= 300:
                receive_xml(reply)
                return
            found = ObsReply(reply.status_code, reply.headers)
            self._client.require(self._action, found, "ETag")
            self._client.require(self._action, found, "Content-Length")
            self._expect(found, length)
            digest = checksums.md5()
            if length is None:
                with report_os_errors(self._action):
                    self._partial.empty()
            with _Sink(self._partial, offset, self._action, self._transfer) as sink:
                for chunk in reply.raw.stream(checksums.CHUNK, decode_content=False):
                    sink.write(chunk)
                    digest.update(chunk)

        request = ObsRequest(
            method="GET", bucket=self._path.bucket, key=self._path.key, headers=headers, receive=receive
        )
        reply = self._client.call(self._action, request, self._transfer, (_GONE, _UNSATISFIABLE))
        if reply.status == _GONE:
            raise ObsError(f"there is no object {self._path.url}", NOT_FOUND)
        if reply.status == _UNSATISFIABLE:
            raise self._replaced()
        found: bytes = digest.digest()
        return found

    def _expect(self, reply: ObsReply, length: Optional[int]) -> None:
        """The reply must be about the object that was requested, and the range of it."""
        etag, size = checksums.plain(reply.headers["ETag"]), int(reply.headers["Content-Length"])
        self._encrypted = reply.is_encrypted
        mark = reply.header(f"meta-{checksums.MARK}")
        self._marked = int(mark) if mark.isdecimal() else 0
        self._appended = reply.header("object-type") == "Appendable"
        if length is None:
            self._etag, self._size = etag, size
        elif etag != self._etag or size != length:
            raise self._replaced()

    def _check(self, whole: Callable[[], bytes]) -> None:
        """Check the content against the ETag, where that is possible; `whole` returns the MD5 of all of it."""
        count = checksums.part_count(self._etag)
        if self._encrypted:
            return
        if checksums.is_md5(self._etag):
            right, certain = whole().hex() == self._etag, not self._appended
        elif self._marked and count:
            certain = count == -(-self._size // self._marked)  # a copy may have other parts
            right = certain and self._has_parts(self._marked)
        elif count == len(self._digests):
            certain = False
            right = self._has_parts(self._part_size) or checksums.has_other_parts(
                self._partial.path, self._etag, self._size
            )
        else:
            return
        if not right and certain:
            raise ObsError(f"cannot {self._action}: the content received differs from the object; call again", FAILED)
        if not right:
            logger.warning(
                "%s was downloaded, but its content could not be checked: another tool uploaded or copied it, and the "
                "size of its parts is unknown", self._path.url,
            )  # fmt: skip

    def _has_parts(self, part_size: int) -> bool:
        """Whether the ETag is that of the content in parts of this size."""
        if part_size != self._part_size:
            return checksums.same(self._partial.path, self._etag, self._size, part_size)
        return checksums.of_parts(self._digests[number] for number in sorted(self._digests)) == self._etag

    def _replaced(self) -> ObsError:
        return ObsError(f"{self._path.url} was replaced while it was downloaded; call again", FAILED)

    def _put_in_place(self) -> None:
        self._transfer.check()
        self._partial.put_in_place()
        self._transfer.meter.finished()
