"""Objects on their way from OBS: small ones in one piece, large ones in parts that need not be fetched twice."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from modelarts._obs import checksums
from modelarts._obs.buckets import FAILED, NOT_THERE, Item, explained
from modelarts._obs.client import Caller, esdk
from modelarts._obs.paths import PART
from modelarts._obs.records import Record
from modelarts._obs.transfer import Transfer, Unit
from modelarts.errors import ObsError

_GONE, _UNSATISFIABLE = 404, 416


class _Sink:
    """A range of a file to write to; its failures are not those of the network."""

    def __init__(self, file: Path, offset: int, length: int | None, doing: str, transfer: Transfer) -> None:
        self._doing = doing
        self._transfer = transfer
        self._written = 0
        with explained(doing):
            self._file = file.open("wb" if length is None else "r+b")
            self._file.seek(offset)

    def write(self, chunk: bytes) -> None:
        with explained(self._doing):
            self._file.write(chunk)
        self._written += len(chunk)
        self._transfer.moved(len(chunk))

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # another attempt begins anew
            self._transfer.meter.moved(-self._written)
        with explained(self._doing):
            self._file.close()


class Download:
    """One object for one local file.

    It is written beside the file and renamed when it is whole: its size is compared always, its MD5 where the ETag
    tells one (an object that was sent in one piece, or in parts of our size).

    Args:
        caller: makes the requests.
        item: the object.
        target: the local file.
        transfer: what it belongs to.
        part_size: the size of parts; an object up to it is fetched in one piece.
        records: folder of the records of large downloads.
    """

    def __init__(
        self, caller: Caller, item: Item, target: Path, transfer: Transfer, part_size: int, records: Path
    ) -> None:
        self._caller = caller
        self._path = item.path
        self._etag = checksums.plain(item.etag)
        self._size = item.size
        self._target = target
        self._transfer = transfer
        self._doing = f"download {item.url}"
        self._part_size = checksums.part_size_of(item.size, part_size)
        self._ranges = list(checksums.ranges(item.size, self._part_size))
        self._records = records
        self._encrypted = False
        self._there: dict[int, str] = {}
        self._done = 0
        self._lock = threading.Lock()

    def units(self) -> Iterator[Unit]:
        """The work: one unit for a small object, one for each part of a large one; the last completes the file."""
        if self._size <= self._part_size:
            yield self._fetch_whole
            return
        where = str(self._target.absolute())
        self._record = Record(self._records, "download", self._caller.endpoint, self._path.url, where)
        self._transfer.at_end(self._record.close)
        with explained(self._doing):
            self._begin(where)
        for number, offset, length in self._ranges:
            yield partial(self._fetch_part, number, offset, length)

    # --- in one piece

    def _fetch_whole(self) -> None:
        self._transfer.check()
        with explained(self._doing):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=PART, dir=self._target.parent)
            os.close(handle)
            self._partial = Path(name)
            try:
                digest = self._fetch(0, None)
                self._check(digest)
                self._put_in_place()
            except BaseException:
                self._partial.unlink(missing_ok=True)
                raise

    # --- in parts

    def _begin(self, where: str) -> None:
        """Go on with what an earlier attempt fetched of the same object, or begin."""
        token = hashlib.sha256(f"{self._caller.endpoint}\0{self._path.url}\0{where}".encode(errors="surrogateescape"))
        self._target.parent.mkdir(parents=True, exist_ok=True)
        head, self._there = self._record.read()
        object_ = {"url": self._path.url, "etag": self._etag, "size": self._size, "part_size": self._part_size}
        name = f"{PART}{token.hexdigest()[:16]}"
        if not self._record.is_ours:  # another transfer may be at it
            handle, name = tempfile.mkstemp(prefix=PART, dir=self._target.parent)
            os.close(handle)
            self._transfer.at_end(lambda: Path(name).unlink(missing_ok=True))
        self._partial = self._target.parent / name
        if head == object_ and self._partial.is_file() and self._partial.stat().st_size == self._size:
            return
        self._there = {}
        with self._partial.open("wb") as file:
            file.truncate(self._size)
        self._record.begin(object_)

    def _fetch_part(self, number: int, offset: int, length: int) -> None:
        self._transfer.check()
        with explained(self._doing):
            digest = checksums.md5_of(self._partial, offset, length) if number in self._there else b""
            if digest and digest.hex() == self._there[number]:
                self._transfer.moved(length)
            else:
                digest = self._fetch(offset, length)
                self._record.done(number, digest.hex())
            with self._lock:
                self._done += 1
                last = self._done == len(self._ranges)
            if last:
                self._complete()

    def _complete(self) -> None:
        try:
            if checksums.is_md5(self._etag) and not self._encrypted:
                self._check(checksums.md5_of(self._partial))
        except ObsError:  # what came damaged is of no use to a later attempt
            self._record.remove()
            self._partial.unlink(missing_ok=True)
            raise
        self._put_in_place()
        self._record.remove()

    # --- both

    def _fetch(self, offset: int, length: int | None) -> bytes:
        """Write a range of the object, or all of it, into the partial file; each attempt begins anew."""
        header = esdk().GetObjectHeader()
        if length is not None:
            header.range = f"{offset}-{offset + length - 1}"
        digest = checksums.md5()

        def act(client: Any) -> Any:
            nonlocal digest
            digest = checksums.md5()
            result = client.getObject(self._path.bucket, self._path.key, headers=header)
            if result.status >= 300:
                return result
            body = result.body.response
            try:
                with _Sink(self._partial, offset, length, self._doing, self._transfer) as sink:
                    self._expect(result, length)
                    while chunk := body.read(checksums.CHUNK):
                        sink.write(chunk)
                        digest.update(chunk)
            except BaseException:
                body.conn.close()  # with an answer half read it is of no use to another request
                raise
            finally:
                body.close()
            return result

        result = self._caller.call(self._doing, self._path.bucket, act, self._transfer, (_GONE, _UNSATISFIABLE))
        if result.status == _GONE:
            raise ObsError(f"there is no object {self._path.url}", NOT_THERE)
        if result.status == _UNSATISFIABLE:
            raise self._replaced()
        found: bytes = digest.digest()
        return found

    def _expect(self, result: Any, length: int | None) -> None:
        """The answer must be about the object that was asked for, and the range of it."""
        etag = checksums.plain(result.body.etag)
        self._encrypted = bool(getattr(result.body, "sseKms", None) or getattr(result.body, "sseC", None))
        if length is None:
            self._etag = etag
        elif etag != self._etag or int(result.body.contentLength) != length:
            raise self._replaced()

    def _check(self, digest: bytes) -> None:
        if checksums.is_md5(self._etag) and not self._encrypted and digest.hex() != self._etag:
            raise ObsError(f"cannot {self._doing}: other bytes came than the object has; call again", FAILED)

    def _replaced(self) -> ObsError:
        return ObsError(f"{self._path.url} was replaced while it was downloaded; call again", FAILED)

    def _put_in_place(self) -> None:
        self._transfer.check()
        self._partial.chmod(0o644)
        self._partial.replace(self._target)
        self._transfer.meter.finished()
