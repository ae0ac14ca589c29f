"""Paths of data and results as a script gets them: the final slash says what is there, however the user wrote them."""

from __future__ import annotations

import os

from modelarts._obs.paths import ObsPath


def as_found(path: ObsPath, buckets: str | os.PathLike[str]) -> ObsPath:
    """The path of an existing folder with a slash at its end, that of an existing file without; others as they are."""
    place = path.under(buckets)
    if os.path.isdir(place):  # noqa: PTH112  unlike those of pathlib, it is false for names that no file can have
        return path.as_dir
    return path.as_file if os.path.isfile(place) else path  # noqa: PTH113


def folder_to_create(path: ObsPath, buckets: str | os.PathLike[str]) -> str:
    """The local folder that must exist before a script writes to a path: the path itself, or that of the file."""
    place = path.under(buckets)
    return str(place if path.as_dir == path else place.parent)
