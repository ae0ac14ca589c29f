"""Uploads to OBS: small files in one request, large ones in parts that need not be sent twice."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from modelarts._obs.cloud import checksums
from modelarts._obs.cloud.client import ObsClient
from modelarts._obs.cloud.file_body import FileBody
from modelarts._obs.cloud.messages import ObsReply, ObsRequest, child, children, document
from modelarts._obs.failures import FAILED, report_os_errors
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer import resume_state
from modelarts._obs.transfer.modification import modified_error, was_modified
from modelarts._obs.transfer.resume_state import ResumeState
from modelarts._obs.transfer.worker_pool import Task, Transfer
from modelarts.errors import ObsError

_REFUSED, _GONE = 403, 404
_LAST_WORD = 5.0  # seconds to abort an upload that failed


class Upload:
    """One file for one object.

    OBS itself checks what it receives: every request carries the MD5 of its body. An object appears only when it is
    complete.

    Args:
        client: makes the requests.
        source: the local file.
        target: the object.
        transfer: what the upload belongs to.
        part_size: the size of parts; a file up to it is sent in one request.
        records: folder of the records of large uploads.
    """

    def __init__(
        self, client: ObsClient, source: Path, target: ObsPath, transfer: Transfer, part_size: int, records: Path
    ) -> None:
        self._client = client
        self._source = source
        self._target = target
        self._transfer = transfer
        self._action = f"upload to {target.url}"
        with report_os_errors(self._action):
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

    def tasks(self) -> Iterator[Task]:
        """The work: one task for a small file, one for each part of a large one; the last completes the object."""
        if self._size <= self._part_size:
            yield self._send_whole
            return
        self._record = ResumeState(self._records, *identity(self._client, self._target))
        self._transfer.at_end(self._leave)
        self._begin()
        for number, offset, length in self._ranges:
            yield partial(self._send_part, number, offset, length)

    # --- in one request

    def _send_whole(self) -> None:
        self._transfer.check()
        self._send({}, length=None if self._size <= checksums.READ_AT_ONCE else self._size)
        if resume_state.exists(self._records, *identity(self._client, self._target)):
            self._end_earlier()
        self._transfer.meter.finished()

    def _end_earlier(self) -> None:
        """The file was large when an earlier attempt was cut off: nobody will resume that upload."""
        record = ResumeState(self._records, *identity(self._client, self._target))
        head, _ = record.read()
        if head.get("upload_id"):
            with suppress(ObsError):  # the file itself is uploaded
                self._abort(str(head["upload_id"]), self._transfer)
        record.remove()

    # --- in parts

    def _begin(self) -> None:
        """Resume what an earlier attempt sent, as OBS itself lists it, or begin."""
        head, _ = self._record.read()
        if head.get("part_size") == self._part_size and self._find_parts(str(head.get("upload_id"))):
            self._upload_id = str(head["upload_id"])
            return
        if head.get("upload_id"):
            self._abort(str(head["upload_id"]), self._transfer)
        mark = {f"meta-{checksums.MARK}": str(self._part_size)}
        request = self._request("POST", {"uploads": None}, metadata=mark)
        self._upload_id = child(self._call(request, required_field="UploadId").document, "UploadId")
        self._record.begin({"url": self._target.url, "part_size": self._part_size, "upload_id": self._upload_id})

    def _leave(self) -> None:
        """An upload that is cut off is kept as long as there is a record of it; else nobody could resume it."""
        if self._upload_id and not self._record.is_ours and not self._completed:
            soon = self._client.timeouts()._replace(total_timeout=_LAST_WORD)
            with suppress(ObsError):
                self._abort(self._upload_id, Transfer(1, self._transfer.meter, soon))
        self._record.close()

    def _find_parts(self, upload_id: str) -> bool:
        """Whether OBS still has an upload, and with it the parts that have arrived."""
        after: dict[str, str] = {}
        while True:
            request = self._request("GET", {"uploadId": upload_id, **after})
            reply = self._call(request, (_GONE,), "UploadId")
            if reply.status == _GONE:
                return False
            for part in children(reply.document, "Part"):
                self._there[int(child(part, "PartNumber"))] = checksums.plain(child(part, "ETag"))
            if child(reply.document, "IsTruncated") != "true":
                return True
            after = {"part-number-marker": child(reply.document, "NextPartNumberMarker")}

    def _send_part(self, number: int, offset: int, length: int) -> None:
        self._transfer.check()
        digest = self._digest_if_there(number, offset, length)
        if digest is None:
            query = {"partNumber": str(number), "uploadId": self._upload_id}
            digest, self._there[number] = self._send(query, offset, length)
        else:
            self._transfer.moved(length)
        with self._lock:
            self._digests[number] = digest
            last = len(self._digests) == len(self._ranges)
        if last:
            self._complete()

    def _digest_if_there(self, number: int, offset: int, length: int) -> Optional[bytes]:
        if number not in self._there:
            return None
        with report_os_errors(self._action):
            digest = checksums.md5_of(self._source, offset, length)
        return digest if digest.hex() == self._there[number] else None

    def _complete(self) -> None:
        with report_os_errors(self._action):
            now = self._source.stat()
        if was_modified(self._was, now):
            raise modified_error(self._source)
        parts = [(str(number), self._there[number]) for number, _, _ in self._ranges]
        members = [("Part", [("PartNumber", number), ("ETag", etag)]) for number, etag in parts]
        body = document("CompleteMultipartUpload", members)
        done = self._call(self._request("POST", {"uploadId": self._upload_id}, body=body), (_GONE,))
        sums = checksums.of_parts(self._digests[number] for number, _, _ in self._ranges)
        replied = "" if done.status == _GONE else checksums.plain(child(done.document, "ETag"))
        if replied != sums and not self._is_there(sums, replied):
            raise ObsError(f"cannot {self._action}: OBS did not put its parts together; call again", FAILED)
        self._completed = True
        self._record.remove()
        self._transfer.meter.finished()

    def _is_there(self, sums: str, replied: str) -> bool:
        """Whether the object is the file, where the reply to the completion does not say so.

        When that reply was lost, the request was repeated, and then the upload is gone. The ETag of an encrypted object
        is another. Without permission to look at the object, the reply of OBS counts.
        """
        allowed = (_GONE, _REFUSED) if replied else (_GONE,)
        reply = self._call(self._request("HEAD", {}), allowed, "ETag")
        if reply.status == _REFUSED:
            return True
        if reply.status == _GONE or int(reply.headers.get("Content-Length") or 0) != self._size:
            return False
        etag = checksums.plain(reply.headers["ETag"])
        return etag == sums or bool(replied == etag and (reply.is_encrypted or not checksums.part_count(etag)))

    def _abort(self, upload_id: str, transfer: Transfer) -> None:
        self._client.call(self._action, self._request("DELETE", {"uploadId": upload_id}), transfer, (_GONE,))

    # --- both

    def _request(self, method: str, query: Mapping[str, Optional[str]], **members: Any) -> ObsRequest:
        return ObsRequest(method=method, bucket=self._target.bucket, key=self._target.key, query=query, **members)

    def _call(
        self, request: ObsRequest, allowed: Collection[Union[int, str]] = (), required_field: str = ""
    ) -> ObsReply:
        return self._client.call(self._action, request, self._transfer, allowed, required_field)

    def _send(
        self, query: Mapping[str, Optional[str]], offset: int = 0, length: Optional[int] = None
    ) -> tuple[bytes, str]:
        """Send a range of the file, or all of a small one; the MD5 of what was sent, and its ETag."""
        with FileBody(self._source, self._transfer, self._action, offset, length) as body:
            reply = self._call(self._request("PUT", query, body=body), required_field="ETag")
        etag = checksums.plain(reply.headers["ETag"])
        # The checksum of what OBS has received; only the ETag of an encrypted object is not an MD5.
        if checksums.is_md5(etag) and not reply.is_encrypted and etag != body.digest.hex():
            raise ObsError(f"cannot {self._action}: OBS received other content than was sent; call again", FAILED)
        return body.digest, etag


def identity(client: ObsClient, target: ObsPath) -> tuple[str, str, str]:
    """What the record of an upload is found by."""
    return "upload", client.endpoint, target.url
