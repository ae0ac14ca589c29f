"""Calls on buckets as older versions of the documents have them (modelarts_04_0125 to 0128, 0214 to 0216)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

from modelarts._obs.arguments import LocalPath, local_path, obs_path
from modelarts._obs.buckets import Buckets
from modelarts._obs.paths import is_local
from modelarts.errors import ConfigError


def upload_data(obs: Buckets, bucket_path: str, path: Union[LocalPath, Sequence[LocalPath]]) -> None:
    """Files keep their names; of a folder, the content is copied, not the folder itself."""
    target = _with_slash(bucket_path)
    several = path if isinstance(path, Iterable) and not isinstance(path, (str, bytes)) else [path]
    for source in several:
        place = local_path(source, "upload_data")
        if place.is_dir():
            obs.upload_contents(place, obs_path(target))
        else:
            obs.upload_file(place, target)


def download_data(obs: Buckets, bucket_path: str, path: LocalPath) -> None:
    """An object goes to the file or into the folder that `path` names; of a folder, the content is copied."""
    source = _with_slash(bucket_path)
    if source.endswith("/") or not _is_object(obs, source):
        obs.download_contents(obs_path(source), local_path(path, "download_data"))
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
    return len(found) == 1 and found[0].path == obs_path(path)


def _with_slash(bucket_path: str) -> str:
    """`bucket/key` is what real code writes where the documents have `/bucket/key`."""
    slash = "/" if isinstance(bucket_path, str) and is_local(bucket_path) else ""
    obs_path(bucket_path, slash)
    return slash + bucket_path
