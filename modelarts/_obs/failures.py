"""Errors of buckets, and of local files that are uploaded or downloaded; their codes are documented."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelarts.errors import ObsError

NOT_FOUND, BAD_ARGUMENT, FAILED, REFUSED = "ModelArts.0015", "ModelArts.0104", "ModelArts.1002", "ModelArts.1003"
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR)


@contextmanager
def report_os_errors(action: str, buckets: Path | None = None) -> Iterator[None]:
    """Raise failures of the local file system as an `ObsError` that names the action, such as `upload 'a.txt'`.

    Args:
        buckets: the folder of buckets that are folders; what is in it is named as an object.
    """
    try:
        yield
    except ObsError:
        raise
    except OSError as error:
        raise ObsError(f"cannot {action}: {_reason(error, buckets)}") from error


def _reason(error: OSError, buckets: Path | None) -> str:
    said = error.strerror or str(error)
    if not isinstance(error.filename, str):
        return said
    path = Path(error.filename)
    if buckets is None or buckets not in path.parents:
        return f"{said} ({path})"
    url = f"obs://{path.relative_to(buckets).as_posix()}"
    if error.errno == errno.EISDIR:
        return f"{url}/ is a folder; delete it first, or choose another name"
    above = [path, *path.parents][: len(path.parts) - len(buckets.parts) - 1]
    if file := next((one for one in above if error.errno in _IN_THE_WAY and one.is_file()), None):
        in_the_way = f"obs://{file.relative_to(buckets).as_posix()}"
        return f"{in_the_way} is an object, and nothing can be in it; delete it first, or choose another folder"
    return f"{said} ({url})"


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
