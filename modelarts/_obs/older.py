"""Calls on buckets as older versions of the documents have them (modelarts_04_0125 to 0128, 0214 to 0216)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from modelarts._obs.buckets import Buckets, LocalPath
from modelarts._obs.paths import ObsPath, is_local
from modelarts.errors import ConfigError, ObsError


def upload_data(obs: Buckets, bucket_path: str, path: Union[LocalPath, Sequence[LocalPath]]) -> None:
    """Files keep their names; of a folder, the content is copied, not the folder itself."""
    target = _with_slash(bucket_path)
    for source in [path] if isinstance(path, (str, os.PathLike)) else path:
        place = Path(source).expanduser()
        if place.is_dir():
            obs.upload_contents(place.resolve(), ObsPath.parse(target))
        else:
            obs.upload_file(place, target)


def download_data(obs: Buckets, bucket_path: str, path: LocalPath) -> None:
    """An object goes to the file or into the folder that `path` names; of a folder, the content is copied."""
    source = _with_slash(bucket_path)
    if source.endswith("/") or not _is_object(obs, source):
        obs.download_contents(ObsPath.parse(source), Path(path).expanduser())
    else:
        obs.download_file(source, path)


def client_of(obs: Buckets) -> Any:
    """The client of OBS itself; local buckets have none."""
    from modelarts._obs.huawei import HuaweiBuckets

    if not isinstance(obs, HuaweiBuckets):
        raise ConfigError("a local session has no OBS client: its buckets are folders; use session.obs")
    return obs.client()


def _is_object(obs: Buckets, path: str) -> bool:
    found = obs.list(path)
    return len(found) == 1 and found[0].path == ObsPath.parse(path)


def _with_slash(bucket_path: str) -> str:
    """`bucket/key` is what real code writes where the documents have `/bucket/key`."""
    path = f"/{bucket_path}" if is_local(bucket_path) else bucket_path
    try:
        ObsPath.parse(path)
    except ValueError as error:
        raise ObsError(f"OBS path {bucket_path!r}: {error}", "ModelArts.0104") from None
    return path
