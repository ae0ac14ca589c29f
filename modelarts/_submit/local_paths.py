"""Local paths of trainings as modelarts_04_0222 documents them: absolute texts, and used in place on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from modelarts._obs.paths import MachinePath, ObsPath, exists_locally, expand_user, has_scheme, is_local

if TYPE_CHECKING:
    from modelarts._submit.staging.staging import Staging
    from modelarts._submit.training import Training

_FILE = "file://"


@attrs.frozen
class LocalPaths:
    """How the local paths of a call are taken.

    Args:
        are_documented: absolute texts, such as `/home/ma-user/work/`, may be local paths.
        are_in_place: data and results are used where they are, because the job runs on this machine.
        only_here: the session is in the cloud, whose buckets a job on this machine does not have.
    """

    are_documented: bool
    are_in_place: bool
    only_here: bool

    @classmethod
    def of(cls, training: Training) -> LocalPaths:
        only_here = training._session is not training.modelarts_session
        return cls(training._is_here or training.environment is not None, training._is_here, only_here)

    def resolved(self, value: Any, staging: Staging) -> Any:
        """The value, as a `Path` if it is an absolute text that means a local file or folder."""
        if not (self.are_documented and _is_absolute(value) and exists_locally(value)):
            return value
        from pathlib import Path

        return value if _is_in_bucket(value, staging) else Path(value)

    def in_place(self, value: Any, staging: Staging, must_exist: bool) -> MachinePath | None:
        """The path of data or results where they are; `None` if they are in a bucket, or must be uploaded.

        Args:
            must_exist: whether a local path must exist; otherwise it is created.
        """
        if not self.are_in_place or not isinstance(value, (str, os.PathLike)) or not value:
            return None
        if isinstance(value, str) and value.startswith(_FILE):
            value = value[len(_FILE) :]
        elif not self._is_local(value, staging):
            return None
        if must_exist and not exists_locally(value):
            return None
        path = os.path.abspath(expand_user(value))  # noqa: PTH100  a link keeps its own name
        is_folder = os.path.isdir(path) or os.fspath(value).endswith("/")  # noqa: PTH112
        return MachinePath.parse(f"{_FILE}{path}{'/' * is_folder}")

    def _is_local(self, value: str | os.PathLike[str], staging: Staging) -> bool:
        if is_local(value):
            return True
        if not isinstance(value, str) or has_scheme(value):
            return False
        if exists_locally(value):
            return not _is_in_bucket(value, staging)
        bucket = value.strip("/").partition("/")[0]
        return exists_locally(f"/{bucket}") and not staging.has_bucket(bucket)


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("/") and not has_scheme(value)


def _is_in_bucket(value: str, staging: Staging) -> bool:
    try:
        path = ObsPath.parse(value)
    except ValueError:
        return False
    return staging.has_bucket(path.bucket) and staging.exists(path)
