"""Request bodies, written to temporary files and checked before they are renamed."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Callable, TypeVar

import attrs

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.request import MAX_REQUEST_BYTES, ObsRequest

_CHUNK = 1 << 17
_ATTEMPTS = 8

T = TypeVar("T")


@attrs.frozen
class ReceivedBody:
    """A body in a temporary file, which the caller renames."""

    file: Path
    md5: str


@contextmanager
def receive_body(request: ObsRequest, folder: Path) -> Iterator[ReceivedBody]:
    """The body of a request in a temporary file in a folder, removed at the end unless it was renamed.

    Raises:
        ObsApiError: it is too large or incomplete, or does not match its checksum.
    """
    _check_length(request)
    with store_chunks(iter(lambda: request.body.read(_CHUNK), b""), folder) as body:
        check_content_md5(request, bytes.fromhex(body.md5))
        yield body


@contextmanager
def store_chunks(chunks: Iterable[bytes], folder: Path) -> Iterator[ReceivedBody]:
    """Content in a temporary file in a folder, removed at the end unless it was renamed.

    Raises:
        ObsApiError: it is too large.
    """
    with new_part_file(folder) as (path, file):
        digest = md5()
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            if file.tell() > MAX_REQUEST_BYTES:  # it was sent in chunks, or is copied
                raise _too_large()
        file.close()
        yield ReceivedBody(path, digest.hexdigest())


@contextmanager
def new_part_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file in a folder, which is created if missing. The file is removed unless it was renamed."""
    path = folder / f"{PART}{secrets.token_hex(16)}"
    handle = retry_in_folder(folder, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        with os.fdopen(handle, "wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def retry_in_folder(folder: Path, action: Callable[[], T]) -> T:
    """Create a folder and call `action`; repeat if the empty folder is removed meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return action()
        except FileNotFoundError:
            continue
        except FileExistsError:
            if folder.exists() and not folder.is_dir():
                raise
    raise ObsApiError("InternalError", f"the folder {folder.name!r} was removed {_ATTEMPTS} times while it was used")


def check_content_md5(request: ObsRequest, digest: bytes) -> None:
    """Raise `ObsApiError` if the body does not match Content-MD5."""
    header = request.headers.get("content-md5")
    if header is None:
        return
    try:
        expected = base64.b64decode(header.encode("latin-1"), validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != len(digest):
        raise ObsApiError("InvalidDigest", f"Content-MD5 {header!r} is not a Base64-encoded MD5")
    if expected != digest:
        raise ObsApiError("BadDigest", "the body does not match Content-MD5")


def _check_length(request: ObsRequest) -> None:
    if request.length is None and "transfer-encoding" not in request.headers:
        raise ObsApiError("MissingContentLength", "the header Content-Length is missing")
    if (request.length or 0) > MAX_REQUEST_BYTES:
        raise _too_large()


def _too_large() -> ObsApiError:
    return ObsApiError("EntityTooLarge", "the body is larger than 5 GB; upload it in parts")
