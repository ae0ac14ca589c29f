"""Errors of buckets, and of local files that are uploaded or downloaded; their codes are documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelarts.errors import ObsError

NOT_FOUND, BAD_ARGUMENT, FAILED, REFUSED = "ModelArts.0015", "ModelArts.0104", "ModelArts.1002", "ModelArts.1003"


@contextmanager
def report_os_errors(action: str) -> Iterator[None]:
    """Raise failures of the local file system as an `ObsError` that names the action, such as `upload 'a.txt'`."""
    try:
        yield
    except ObsError:
        raise
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        raise ObsError(f"cannot {action}: {error.strerror or error}{name}") from error


def no_bucket_error(name: str) -> ObsError:
    """The error for a bucket that does not exist."""
    return ObsError(f"there is no bucket {name!r}; create it with session.obs.create_bucket({name!r})", NOT_FOUND)


def not_local_error(call: str, kind: str, path: Path) -> ObsError:
    """The error for a path that is not a local file (or folder): it is the other kind, or does not exist."""
    if path.is_dir():
        return ObsError(f"{call}: {str(path)!r} is a folder; use upload_dir")
    if path.is_file():
        return ObsError(f"{call}: {str(path)!r} is a file; use upload_file")
    return ObsError(f"{call}: there is no local {kind} {str(path)!r}")


def not_empty_error(name: str) -> ObsError:
    """The error for a bucket that cannot be deleted yet."""
    return ObsError(f"bucket {name!r} is not empty; session.obs.delete('obs://{name}/', recursive=True) empties it")
