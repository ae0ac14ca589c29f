"""Checks of the arguments of `session.obs`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Union

from modelarts._obs.failures import BAD_ARGUMENT
from modelarts._obs.paths import ObsPath, bucket_name_problem, expand_user, has_scheme
from modelarts.errors import ObsError, shortened

LocalPath = Union[str, "os.PathLike[str]"]


def obs_path(value: Any, prefix: str = "") -> ObsPath:
    """A path in a bucket; `prefix` is prepended to the value. Raises `ObsError` naming the value and the rule."""
    if not isinstance(value, str):
        raise _wrong("OBS path", value, "write it as text: 'obs://bucket/key'")
    try:
        return ObsPath.given(prefix + value)
    except ValueError as error:
        raise _wrong("OBS path", value, str(error)) from None


def local_path(value: Any, call: str) -> Path:
    """A file or folder of this machine. Raises `ObsError` naming the value and the rule."""
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise _wrong(f"{call}: local path", value, "write it as text or as a Path")
    if not os.fspath(value):
        raise _wrong(f"{call}: local path", value, "it is empty; write '.' for the working directory")
    if "\0" in os.fspath(value):
        raise _wrong(f"{call}: local path", value, "no file can have a NUL character in its name")
    return Path(expand_user(value))


def new_bucket_name(value: Any) -> str:
    """The name of a bucket to create. Raises `ObsError` naming the value and the rule."""
    name = _bucket(value)
    if rule := bucket_name_problem(name):
        raise _wrong("bucket name", value, rule)
    return name


def existing_bucket_name(value: Any) -> str:
    """The name of an existing bucket, which may be older than today's rules for names. Raises `ObsError`."""
    name = _bucket(value)
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise _wrong("bucket name", value, "write the name of a bucket, without a key")
    return name


def thread_count(value: Any) -> int:
    """A number of threads. Raises `ObsError` naming the value and the rule."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ObsError(f"threads={shortened(value)}: write a whole number from 1", BAD_ARGUMENT)
    return value


def _bucket(value: Any) -> str:
    """A name, or the URL of a bucket: `obs://bucket`."""
    if not isinstance(value, str):
        raise _wrong("bucket name", value, "write it as text")
    if has_scheme(value):
        path = obs_path(value)
        return path.bare if path.key else path.bucket
    return value


def _wrong(what: str, value: Any, rule: str) -> ObsError:
    return ObsError(f"{what} {shortened(value)}: {rule}", BAD_ARGUMENT)
