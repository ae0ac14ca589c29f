"""Bodies on their way to a file: written piece by piece, and checked before they get their name."""

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
from modelarts.local.emulator.obs.calls import LARGEST, Call
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.etags import md5

_CHUNK = 1 << 17
_ATTEMPTS = 8

T = TypeVar("T")


@attrs.frozen
class ReceivedBody:
    """A body as a file, which is to be renamed."""

    file: Path
    md5: str


@contextmanager
def arrived(call: Call, folder: Path) -> Iterator[ReceivedBody]:
    """The body of a request as a file in a folder; the file is gone at the end unless it was renamed.

    Raises:
        ObsRefusal: it is too large, not whole, or not what its checksum says.
    """
    _check_length(call)
    with new_file(folder) as (path, file):
        digest = md5()
        while chunk := call.body.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            if file.tell() > LARGEST:  # it came in pieces
                raise _too_large()
        file.close()
        check_digest(call, digest.digest())
        yield ReceivedBody(path, digest.hexdigest())


@contextmanager
def new_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file that is no object yet, in a folder that is made when missing; gone at the end unless it was renamed."""
    path = folder / f"{PART}{secrets.token_hex(16)}"
    handle = in_folder(folder, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        with os.fdopen(handle, "wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def in_folder(folder: Path, act: Callable[[], T]) -> T:
    """Do something in a folder that is made when missing, or when it was removed meanwhile because it was empty."""
    for _ in range(_ATTEMPTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return act()
        except FileNotFoundError:
            continue
        except FileExistsError:
            if folder.exists() and not folder.is_dir():
                raise
    raise ObsRefusal("InternalError", f"the folder {folder.name!r} is removed again and again")


def check_digest(call: Call, digest: bytes) -> None:
    """Refuse a body that is not what Content-MD5 says."""
    stated = call.headers.get("content-md5")
    if stated is None:
        return
    try:
        expected = base64.b64decode(stated.encode("latin-1"), validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != len(digest):
        raise ObsRefusal("InvalidDigest", f"Content-MD5 {stated!r} is not the Base64 form of an MD5")
    if expected != digest:
        raise ObsRefusal("BadDigest", "the body is not what Content-MD5 says")


def _check_length(call: Call) -> None:
    if call.length is None and "transfer-encoding" not in call.headers:
        raise ObsRefusal("MissingContentLength", "the header Content-Length is missing")
    if (call.length or 0) > LARGEST:
        raise _too_large()


def _too_large() -> ObsRefusal:
    return ObsRefusal("EntityTooLarge", "one request carries 5 GB at most; send more in parts")
