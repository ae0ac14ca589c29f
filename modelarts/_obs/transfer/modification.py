"""Local files that change while they are uploaded."""

from __future__ import annotations

import os
from pathlib import Path

from modelarts._obs.failures import FAILED
from modelarts.errors import ObsError


def was_modified(was: os.stat_result, now: os.stat_result) -> bool:
    """Whether a file was written to between two calls of `stat`."""
    return (was.st_size, was.st_mtime_ns) != (now.st_size, now.st_mtime_ns)


def modified_error(file: Path) -> ObsError:
    """The error for a file that changed after its upload began."""
    return ObsError(f"{file} changed while it was uploaded; call again when nothing writes to it", FAILED)
