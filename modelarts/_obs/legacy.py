"""Calls on buckets as older versions of the documents have them (modelarts_04_0125 to 0128, 0214 to 0216)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

from modelarts._obs.arguments import LocalPath, local_path, new_bucket, obs_path, old_bucket
from modelarts._obs.buckets import Buckets
from modelarts._obs.paths import ObsPath, is_local
from modelarts.errors import ConfigError


def create_bucket(obs: Buckets, bucket: str) -> str:
    """Make a bucket, and give back its name."""
    name = new_bucket(bucket)
    obs.create_bucket(name)
    return name


def create_directory(obs: Buckets, bucket: str, directory: str) -> None:
    """Make an empty folder in a bucket."""
    name = old_bucket(bucket)
    key = "/" if isinstance(directory, str) and not directory.startswith("/") else ""
    obs.create_directory(obs_path(directory, f"/{name}{key}").url)


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
    if source.endswith("/") or not _is_object(obs, obs_path(source)):
        obs.download_contents(obs_path(source), local_path(path, "download_data"), "download_data")
    else:
        obs.download_file(source, path)


def client_of(obs: Buckets) -> Any:
    """The client of OBS itself; local buckets have none."""
    from modelarts._obs.cloud.buckets import HuaweiBuckets

    if not isinstance(obs, HuaweiBuckets):
        raise ConfigError("a local session has no OBS client: its buckets are folders; use session.obs")
    return obs.client()


def _is_object(obs: Buckets, path: ObsPath) -> bool:
    return bool(path.key) and obs._find(path) is not None


def _with_slash(bucket_path: str) -> str:
    """`bucket/key` is what real code writes where the documents have `/bucket/key`."""
    slash = "/" if isinstance(bucket_path, str) and is_local(bucket_path) else ""
    obs_path(bucket_path, slash)
    return slash + bucket_path
