"""Which file stands for an object. The same rule as in local sessions: a bucket is a folder, a key a path in it."""

from __future__ import annotations

from pathlib import Path

from modelarts._obs.paths import PART
from modelarts.local.emulator.obs.errors import ObsRefusal

MOST_BYTES = 1024


def place_of(bucket: Path, key: str) -> Path:
    """The file of an object, or the folder when its key ends with a slash; always one in the bucket's folder.

    Raises:
        ObsRefusal: no file can have that name, or it would lie elsewhere.
    """
    if len(key.encode()) > MOST_BYTES:
        raise ObsRefusal("KeyTooLongError", f"a key has {MOST_BYTES} bytes at most")
    place = bucket
    names = key.split("/")
    for name in names[:-1]:
        place = place / _checked(name, key)
        if place.is_symlink():
            raise ObsRefusal("InvalidArgument", f"{key!r}: the folder {name!r} is a link; those are not followed")
    return place if key.endswith("/") else place / _checked(names[-1], key)


def _checked(name: str, key: str) -> str:
    if name in ("", ".", "..") or "\0" in name:
        why = "between slashes there must be a name, which is not '.' or '..' and has no NUL character"
    elif name.startswith(PART):
        why = f"names that begin with {PART} are those of files that are not whole yet"
    else:
        return name
    raise ObsRefusal("InvalidArgument", f"{key!r} cannot be a key here, where objects are files: {why}")
