"""Paths of objects. As in local sessions, a bucket is a folder and a key is a path in it."""

from __future__ import annotations

import os
from pathlib import Path

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsApiError

MAX_KEY_BYTES = 1024


class BelowLink(ObsApiError):
    """A folder in a key is a link."""


def path_of(bucket: Path, key: str) -> Path:
    """The file of an object, or its folder if the key ends with a slash. It is always inside the bucket.

    Raises:
        ObsApiError: no file can have that name, or it would be outside the bucket (`BelowLink`).
    """
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ObsApiError("KeyTooLongError", f"a key may have at most {MAX_KEY_BYTES} bytes")
    path = bucket
    names = key.split("/")
    for name in names[:-1]:
        path = path / _checked(name, key)
        if path.is_symlink():
            raise BelowLink("InvalidArgument", f"{key!r}: the folder {name!r} is a link; links are not followed")
    return path if key.endswith("/") else path / _checked(names[-1], key)


def file_of(bucket: Path, path: Path) -> Path | None:
    """The file that an entry of a bucket stands for: itself, or what it links to in this bucket; else `None`.

    A job may create any link, to files that whoever may read the bucket must not read.
    """
    if not path.is_symlink():
        return path
    real = Path(os.path.realpath(path))
    return real if Path(os.path.realpath(bucket)) in real.parents else None


def _checked(name: str, key: str) -> str:
    if name in ("", ".", "..") or "\0" in name:
        reason = "each segment must be a name other than '.' and '..', without NUL characters"
    elif name.startswith(PART):
        reason = f"names that begin with {PART} are reserved for incomplete files"
    else:
        return name
    raise ObsApiError("InvalidArgument", f"{key!r} cannot be a key here, because objects are files: {reason}")
