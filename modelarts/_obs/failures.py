"""Failures of buckets and of local files for them, as errors that say what to do; their codes as documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelarts.errors import ObsError

NOT_THERE, BAD_ARGUMENT, FAILED, REFUSED = "ModelArts.0015", "ModelArts.0104", "ModelArts.1002", "ModelArts.1003"


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Failures of the local file system as errors that say what was to be done."""
    try:
        yield
    except ObsError:
        raise
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        raise ObsError(f"cannot {doing}: {error.strerror or error}{name}") from error


def no_bucket(name: str) -> ObsError:
    """The error for a bucket that is not there."""
    return ObsError(f"there is no bucket {name!r}; make it with session.obs.create_bucket({name!r})", NOT_THERE)


def not_local(call: str, kind: str, path: Path) -> ObsError:
    """The error for a local file, or folder, that is none: what it is instead, or that it is not there."""
    if path.is_dir():
        return ObsError(f"{call}: {str(path)!r} is a folder; use upload_dir")
    if path.is_file():
        return ObsError(f"{call}: {str(path)!r} is a file; use upload_file")
    return ObsError(f"{call}: there is no local {kind} {str(path)!r}")


def not_empty(name: str) -> ObsError:
    """The error for a bucket that cannot be removed yet."""
    return ObsError(f"bucket {name!r} is not empty; session.obs.delete('obs://{name}/', recursive=True) empties it")
