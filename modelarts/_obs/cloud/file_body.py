"""A local file, or a range of it, as the body of a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional, Union

from modelarts._obs.cloud import checksums
from modelarts._obs.failures import report_os_errors
from modelarts._obs.transfer.modification import modified_error
from modelarts._obs.transfer.worker_pool import Transfer


class FileBody:
    """A body that each attempt reads, sums and counts anew.

    Within a `with` block; when that ends with an error, what was sent is not counted as transferred.

    Args:
        file: the local file.
        transfer: what the request belongs to; it ends the request when it is cancelled.
        action: what is done, for messages.
        offset, length: a range that is read in pieces; without a length, the file is small and read at once.
    """

    def __init__(
        self, file: Path, transfer: Transfer, action: str, offset: int = 0, length: Optional[int] = None
    ) -> None:
        self.length = length or 0
        self.digest = b""
        self._file = file
        self._transfer = transfer
        self._action = action
        self._offset = offset
        self._is_small = length is None
        self._pieces: Optional[Any] = None
        self._sent = 0

    def begin(self) -> tuple[str, Union[bytes, Iterator[Any]]]:
        """The value of `Content-MD5`, and the content."""
        self._end(arrived=False)
        with report_os_errors(self._action):
            if self._is_small:
                content = self._file.read_bytes()
                self.length, self.digest = len(content), checksums.md5(content).digest()
                self._pieces = self._counted(iter([content]))
            else:
                self.digest = checksums.md5_of(self._file, self._offset, self.length)
                self._pieces = self._counted(self._read())
        return checksums.as_header(self.digest), self._pieces if self.length else b""

    def _read(self) -> Iterator[memoryview]:
        """The pieces, each valid until the next one is requested."""
        left = self.length
        buffer = memoryview(bytearray(min(left, checksums.READ_AT_ONCE)))
        with report_os_errors(f"read {self._file}"), self._file.open("rb", buffering=0) as opened:
            opened.seek(self._offset)
            while left:
                size = opened.readinto(buffer[:left])
                if not size:
                    raise modified_error(self._file)
                left -= size
                yield buffer[:size]

    def _counted(self, pieces: Iterator[Any]) -> Iterator[Any]:
        for piece in pieces:
            self._sent += len(piece)
            self._transfer.moved(len(piece))
            yield piece

    def _end(self, arrived: bool) -> None:
        """Close the file; what did not arrive is not counted."""
        if self._pieces is not None:
            self._pieces.close()
        if not arrived:
            self._transfer.meter.moved(-self._sent)
        self._pieces, self._sent = None, 0

    def __enter__(self) -> FileBody:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._end(arrived=kind is None)
