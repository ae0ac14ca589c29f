"""Request bodies, written to temporary files and checked before they are renamed."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Callable, TypeVar

import attrs

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.calls import MAX_REQUEST_BYTES, Call
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.etags import md5

_CHUNK = 1 << 17
_ATTEMPTS = 8

T = TypeVar("T")


@attrs.frozen
class ReceivedBody:
    """A body in a temporary file, which the caller renames."""

    file: Path
    md5: str


@contextmanager
def receive(call: Call, folder: Path) -> Iterator[ReceivedBody]:
    """The body of a request in a temporary file in a folder, removed at the end unless it was renamed.

    Raises:
        ObsError: it is too large or incomplete, or does not match its checksum.
    """
    _check_length(call)
    with new_file(folder) as (path, file):
        digest = md5()
        while chunk := call.body.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            if file.tell() > MAX_REQUEST_BYTES:  # it was sent in chunks
                raise _too_large()
        file.close()
        check_digest(call, digest.digest())
        yield ReceivedBody(path, digest.hexdigest())


@contextmanager
def new_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file in a folder, which is created if missing. The file is removed unless it was renamed."""
    path = folder / f"{PART}{secrets.token_hex(16)}"
    handle = in_folder(folder, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        with os.fdopen(handle, "wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def in_folder(folder: Path, act: Callable[[], T]) -> T:
    """Call `act` with the folder in place; again if somebody removes the empty folder meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return act()
        except FileNotFoundError:
            continue
        except FileExistsError:
            if folder.exists() and not folder.is_dir():
                raise
    raise ObsError("InternalError", f"the folder {folder.name!r} is removed repeatedly")


def check_digest(call: Call, digest: bytes) -> None:
    """Raise `ObsError` if the body does not match Content-MD5."""
    stated = call.headers.get("content-md5")
    if stated is None:
        return
    try:
        expected = base64.b64decode(stated.encode("latin-1"), validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != len(digest):
        raise ObsError("InvalidDigest", f"Content-MD5 {stated!r} is not a Base64-encoded MD5")
    if expected != digest:
        raise ObsError("BadDigest", "the body does not match Content-MD5")


def _check_length(call: Call) -> None:
    if call.length is None and "transfer-encoding" not in call.headers:
        raise ObsError("MissingContentLength", "the header Content-Length is missing")
    if (call.length or 0) > MAX_REQUEST_BYTES:
        raise _too_large()


def _too_large() -> ObsError:
    return ObsError("EntityTooLarge", "the body is larger than 5 GB; upload it in parts")
