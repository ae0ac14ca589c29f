"""Files on their way to OBS: small ones in one piece, large ones in parts that need not be sent twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Callable

import attrs

from modelarts._obs.cloud import checksums
from modelarts._obs.cloud.client import ObsClient, esdk
from modelarts._obs.failures import FAILED, report_os_errors
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import resume_state
from modelarts._obs.transfer.resume_state import ResumeState
from modelarts._obs.transfer.source import Source, modified_error, was_modified
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError

_REFUSED, _GONE = 403, 404
_LAST_WORD = 5.0  # seconds to end an upload that failed
_AT_ONCE = 1 << 20  # a file up to this is read once, and sent from memory

_Put = Callable[[Any, "Source", int, bytes], Any]


class Upload:
    """One file for one object.

    What arrived is checked by OBS itself: every request carries the MD5 of what it sends. An object appears when it is
    whole, never before.

    Args:
        caller: makes the requests.
        source: the local file.
        target: the object.
        transfer: what it belongs to.
        part_size: the size of parts; a file up to it is sent in one piece.
        records: folder of the records of large uploads.
    """

    def __init__(
        self, caller: ObsClient, source: Path, target: ObsPath, transfer: Transfer, part_size: int, records: Path
    ) -> None:
        self._caller = caller
        self._source = source
        self._target = target
        self._transfer = transfer
        self._doing = f"upload to {target.url}"
        with report_os_errors(self._doing):
            self._was = source.stat()
        self._size = self._was.st_size
        self._part_size = checksums.part_size_of(self._size, part_size)
        self._ranges = list(checksums.ranges(self._size, self._part_size))
        self._records = records
        self._upload_id = ""
        self._completed = False
        self._there: dict[int, str] = {}
        self._digests: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def units(self) -> Iterator[Task]:
        """The work: one unit for a small file, one for each part of a large one; the last completes the object."""
        if self._size <= self._part_size:
            yield self._send_whole
            return
        self._record = ResumeState(self._records, *identity(self._caller, self._target))
        self._transfer.at_end(self._leave)
        self._begin()
        for number, offset, length in self._ranges:
            yield partial(self._send_part, number, offset, length)

    # --- in one piece

    def _send_whole(self) -> None:
        self._transfer.check()
        if self._size <= _AT_ONCE:
            with report_os_errors(self._doing):
                content = self._source.read_bytes()
            self._send(len(content), lambda: BytesIO(content), lambda: checksums.md5(content).digest(), self._put)
        else:
            self._send_range(0, self._size, self._put)
        if resume_state.exists(self._records, *identity(self._caller, self._target)):
            self._end_earlier()
        self._transfer.meter.finished()

    def _end_earlier(self) -> None:
        """The file was large when an earlier attempt was cut off: nobody will go on with that."""
        record = ResumeState(self._records, *identity(self._caller, self._target))
        head, _ = record.read()
        if head.get("upload_id"):
            with suppress(ObsError):  # the file itself is there
                self._abort(str(head["upload_id"]), self._transfer)
        record.remove()

    def _put(self, client: Any, source: Source, length: int, digest: bytes) -> Any:
        header = esdk().PutObjectHeader(md5=checksums.as_header(digest), contentLength=length)
        return client.putContent(*self._place, content=source, headers=header)

    # --- in parts

    def _begin(self) -> None:
        """Go on with what an earlier attempt sent, as OBS itself tells it, or begin."""
        head, _ = self._record.read()
        if head.get("part_size") == self._part_size and self._find_parts(str(head.get("upload_id"))):
            self._upload_id = str(head["upload_id"])
            return
        if head.get("upload_id"):
            self._abort(str(head["upload_id"]), self._transfer)
        mark = {checksums.MARK: str(self._part_size)}
        result = self._call(
            lambda client: client.initiateMultipartUpload(*self._place, metadata=mark), proof="uploadId"
        )
        self._upload_id = result.body.uploadId
        self._record.begin({"url": self._target.url, "part_size": self._part_size, "upload_id": self._upload_id})

    def _leave(self) -> None:
        """An upload that is cut off stays as long as there is a record of it; else nobody could go on with it."""
        if self._upload_id and not self._record.is_ours and not self._completed:
            soon = attrs.evolve(self._caller.timeouts(), total_timeout=_LAST_WORD)
            with suppress(ObsError):
                self._abort(self._upload_id, Transfer(1, self._transfer.meter, soon))
        self._record.close()

    def _find_parts(self, upload_id: str) -> bool:
        """Whether OBS still has an upload, and with it the parts that have arrived."""
        after: int | None = None
        while True:
            result = self._call(
                lambda client, after=after: client.listParts(*self._place, upload_id, partNumberMarker=after),
                allowed=(_GONE,), proof="uploadId",
            )  # fmt: skip
            if result.status == _GONE:
                return False
            self._there.update({int(part.partNumber): checksums.plain(part.etag) for part in result.body.parts})
            if not result.body.isTruncated:
                return True
            after = int(result.body.nextPartNumberMarker)

    def _send_part(self, number: int, offset: int, length: int) -> None:
        self._transfer.check()
        digest = self._digest_if_there(number, offset, length)
        if digest is None:
            digest, self._there[number] = self._send_range(offset, length, partial(self._put_part, number))
        else:
            self._transfer.moved(length)
        with self._lock:
            self._digests[number] = digest
            last = len(self._digests) == len(self._ranges)
        if last:
            self._complete()

    def _digest_if_there(self, number: int, offset: int, length: int) -> bytes | None:
        if number not in self._there:
            return None
        with report_os_errors(self._doing):
            digest = checksums.md5_of(self._source, offset, length)
        return digest if digest.hex() == self._there[number] else None

    def _put_part(self, number: int, client: Any, source: Source, length: int, digest: bytes) -> Any:
        return client.uploadPart(
            *self._place, number, self._upload_id, content=source, partSize=length, md5=checksums.as_header(digest)
        )

    def _complete(self) -> None:
        with report_os_errors(self._doing):
            now = self._source.stat()
        if was_modified(self._was, now):
            raise modified_error(self._source)
        package = esdk()
        parts = [package.CompletePart(number, self._there[number]) for number, _, _ in self._ranges]
        request = package.CompleteMultipartUploadRequest(parts)
        done = self._call(
            lambda client: client.completeMultipartUpload(*self._place, self._upload_id, request), allowed=(_GONE,)
        )
        sums = checksums.of_parts(self._digests[number] for number, _, _ in self._ranges)
        answered = "" if done.status == _GONE or done.body is None else checksums.plain(done.body.etag)
        if answered != sums and not self._is_there(sums, answered):
            raise ObsError(f"cannot {self._doing}: OBS did not put its parts together; call again", FAILED)
        self._completed = True
        self._record.remove()
        self._transfer.meter.finished()

    def _is_there(self, sums: str, answered: str) -> bool:
        """Whether the object is the file, where the answer to the completion does not tell.

        One that was lost is asked for again, and then the upload is gone. The ETag of an encrypted object is another;
        who may not look at the object has the word of OBS that it is there.
        """
        allowed = (_GONE, _REFUSED) if answered else (_GONE,)
        result = self._call(lambda client: client.getObjectMetadata(*self._place), allowed=allowed, proof="etag")
        if result.status == _REFUSED:
            return True
        if result.status == _GONE or int(result.body.contentLength) != self._size:
            return False
        etag = checksums.plain(result.body.etag)
        return etag == sums or bool(answered == etag and (_is_encrypted(result.body) or not checksums.part_count(etag)))

    def _abort(self, upload_id: str, transfer: Transfer) -> None:
        self._caller.call(
            self._doing, self._target.bucket, lambda client: client.abortMultipartUpload(*self._place, upload_id),
            transfer, allowed=(_GONE,),
        )  # fmt: skip

    # --- both

    @property
    def _place(self) -> tuple[str, str]:
        return self._target.bucket, self._target.key

    def _call(self, act: Any, allowed: tuple[int, ...] = (), proof: str = "") -> Any:
        return self._caller.call(self._doing, self._target.bucket, act, self._transfer, allowed, proof)

    def _send_range(self, offset: int, length: int, put: _Put) -> tuple[bytes, str]:
        def opened() -> IO[bytes]:
            file = self._source.open("rb")
            file.seek(offset)
            return file

        return self._send(length, opened, lambda: checksums.md5_of(self._source, offset, length), put)

    def _send(
        self, length: int, opened: Callable[[], IO[bytes]], summed: Callable[[], bytes], put: _Put
    ) -> tuple[bytes, str]:
        """Send so many bytes, and give back their MD5 and ETag; each attempt reads, sums and counts anew."""
        digest = b""

        def act(client: Any) -> Any:
            nonlocal digest
            with report_os_errors(self._doing):
                digest = summed()
                source = Source(opened(), length, self._transfer, self._source)
            arrived = False
            try:
                result = put(client, source, length, digest)
                arrived = result.status < 300
            finally:
                source.close()
                if not arrived:
                    self._transfer.meter.moved(-source.sent)
            return result

        body = self._call(act, proof="etag").body
        etag = checksums.plain(body.etag)
        # What OBS says it has got; only the ETag of an encrypted object is no MD5.
        if checksums.is_md5(etag) and not _is_encrypted(body) and etag != digest.hex():
            raise ObsError(f"cannot {self._doing}: OBS has got other bytes than were sent; call again", FAILED)
        return digest, etag


def identity(caller: ObsClient, target: ObsPath) -> tuple[str, str, str]:
    """What the record of an upload is found by."""
    return "upload", caller.endpoint, target.url


def _is_encrypted(body: Any) -> bool:
    return bool(getattr(body, "sseKms", None) or getattr(body, "sseC", None))
