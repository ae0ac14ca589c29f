"""Calls on buckets by the names of older versions of the documents (modelarts_04_0125 to 0128, 0214 to 0216)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Union

from modelarts._obs.arguments import LocalPath, existing_bucket_name, local_path, new_bucket_name, obs_path
from modelarts._obs.buckets import Buckets
from modelarts._obs.paths import ObsPath, is_local


def create_bucket(obs: Buckets, bucket: str) -> str:
    """Create a bucket and return its name."""
    name = new_bucket_name(bucket)
    obs.create_bucket(name)
    return name


def create_directory(obs: Buckets, bucket: str, directory: str) -> None:
    """Create an empty folder in a bucket."""
    name = existing_bucket_name(bucket)
    key = "/" if isinstance(directory, str) and not directory.startswith("/") else ""
    obs.create_directory(obs_path(directory, f"/{name}{key}").url)


def upload_data(obs: Buckets, bucket_path: str, path: Union[LocalPath, Sequence[LocalPath]]) -> None:
    """Upload files under their own names, and of folders the content."""
    target = _with_slash(bucket_path)
    paths = path if isinstance(path, Iterable) and not isinstance(path, (str, bytes)) else [path]
    for source in paths:
        local = local_path(source, "upload_data")
        if local.is_dir():
            obs.upload_contents(local, obs_path(target))
        else:
            obs.upload_file(local, target)


def download_data(obs: Buckets, bucket_path: str, path: LocalPath) -> None:
    """Download an object to the file or into the folder `path`, or the content of a folder."""
    source = _with_slash(bucket_path)
    if source.endswith("/") or not _is_object(obs, obs_path(source)):
        obs.download_contents(obs_path(source), local_path(path, "download_data"), "download_data")
    else:
        obs.download_file(source, path)


def _is_object(obs: Buckets, path: ObsPath) -> bool:
    return bool(path.key) and obs._find(path) is not None


def _with_slash(bucket_path: str) -> str:
    """The documents have `/bucket/key`; existing scripts also use `bucket/key`."""
    slash = "/" if isinstance(bucket_path, str) and is_local(bucket_path) else ""
    obs_path(bucket_path, slash)
    return slash + bucket_path
