"""What `session.obs` offers and its rules, wherever the buckets are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelarts._obs import tree
from modelarts._obs.arguments import LocalPath, local_path, new_bucket, obs_path, old_bucket
from modelarts._obs.backend import Item, StorageBackend
from modelarts._obs.failures import explained, not_local
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.plan import DownloadTargets, TransferPlan
from modelarts.errors import ObsError

Items = list[Item]  # within the class below, `list` is one of its methods


class Buckets(StorageBackend):
    """Upload to, download from and look into buckets.

    Paths in buckets are written `obs://bucket/key`, `s3://bucket/key` or `/bucket/key`. Transfers take these options:

    Args:
        sync: move only what is not there yet or has changed.
        threads: how many files, or parts of large ones, are moved at once.
        progress: show how far it is; left out, it is shown on terminals and in notebooks.
    """

    # --- buckets

    def create_bucket(self, bucket_name: str) -> None:
        """Make a bucket; one that is there already stays as it is.

        Args:
            bucket_name: 3 to 63 lower-case letters, digits, hyphens or dots.

        Raises:
            ObsError: the name breaks the rule or belongs to somebody else, or it cannot be made.
        """
        self._make_bucket(new_bucket(bucket_name))

    def delete_bucket(self, bucket_name: str) -> None:
        """Remove an empty bucket.

        Raises:
            ObsError: there is no such bucket, or it is not empty.
        """
        self._remove_bucket(old_bucket(bucket_name))

    # --- upload

    def upload_file(
        self, src_local_file: LocalPath, dst_obs_dir: str, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a local file into a folder of a bucket, under its own name (modelarts_04_0218).

        Args:
            src_local_file: the local file.
            dst_obs_dir: the folder, such as `obs://bucket/dir1/`; it is made when missing.

        Raises:
            ObsError: no such file, no such bucket, or it cannot be written.
        """
        source = local_path(src_local_file, "upload_file")
        with explained(f"upload {str(source)!r}"):
            if not source.is_file():
                raise not_local("upload_file", "file", source)
        target = obs_path(dst_obs_dir).as_dir / source.name
        move = TransferPlan(self, f"upload to {target.url}", threads, progress)
        there = filter(None, [self._find(target)] if sync else [])
        move.upload([(source, target)], there, target.bucket)

    def upload_dir(
        self, src_local_dir: LocalPath, dst_obs_dir: str, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a local folder into a folder of a bucket, keeping its own name (modelarts_04_0219).

        `upload_dir("code", "obs://bucket/dir1/")` makes `obs://bucket/dir1/code/…`; empty folders are left out. Links
        are followed.

        Args:
            src_local_dir: the local folder.
            dst_obs_dir: the folder of the bucket that gets it.

        Raises:
            ObsError: no such folder, no such bucket, or it cannot be written.
        """
        source = local_path(src_local_dir, "upload_dir")
        with explained(f"upload {str(source)!r}"):
            if not source.is_dir():
                raise not_local("upload_dir", "folder", source)
            source = source.resolve() if source.name in ("", "..") else source.absolute()  # a link keeps its name
        target = (obs_path(dst_obs_dir).as_dir / source.name).as_dir
        self.upload_contents(source, target, sync=sync, threads=threads, progress=progress)

    def upload_contents(
        self, source: Path, target: ObsPath, files: Iterable[Path] | None = None, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy what is in a local folder, not the folder itself, to `target`; all of it, or the given files of it."""
        move = TransferPlan(self, f"upload to {target.url}", threads, progress)
        chosen = _files(source) if files is None else files
        pairs = ((file, target / file.relative_to(source).as_posix()) for file in chosen)
        move.upload(pairs, self._walk(target.as_dir) if sync else (), target.bucket)

    # --- download

    def download_file(
        self, src_obs_file: str, dst_local_dir: LocalPath, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy an object to a local folder, or to the file that `dst_local_dir` names (modelarts_04_0220).

        Args:
            src_obs_file: the object, such as `obs://bucket/dir1/file1.txt`.
            dst_local_dir: a folder (it exists, or ends with a slash), else the name of the file to write.

        Raises:
            ObsError: no such object, or it cannot be written.
        """
        path = obs_path(src_obs_file)
        target = local_path(dst_local_dir, "download_file")
        move = TransferPlan(self, f"download {path.url}", threads, progress)
        item = None if path.as_dir == path else self._find(path)
        if item is None:
            raise self._nothing(path, f"download_file: there is no object {path.url}", "use download_dir")
        with explained(f"download {path.url}"):
            if target.is_dir() or os.fspath(dst_local_dir).endswith(("/", os.sep)):
                target = target / path.name
        move.download([(item, target)], sync)

    def download_dir(
        self, src_obs_dir: str, dst_local_dir: LocalPath, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a folder of a bucket into a local folder, keeping its last name (modelarts_04_0221).

        Args:
            src_obs_dir: the folder, such as `obs://bucket/dir1/`.
            dst_local_dir: the local folder that gets `dir1/`.

        Raises:
            ObsError: no such folder, or it cannot be written; or, after all else was downloaded, objects have names
                that no local file can have.
        """
        path = obs_path(src_obs_dir)
        target = local_path(dst_local_dir, "download_dir") / path.name
        self.download_contents(path, target, sync=sync, threads=threads, progress=progress)

    def download_contents(
        self, path: ObsPath, target: Path, call: str = "download_dir", *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy what is in a folder of a bucket, not the folder itself, to a local folder."""
        folder = path.as_dir
        move = TransferPlan(self, f"download {path.url}", threads, progress)
        places = DownloadTargets(folder, target)
        move.download(places.pairs(self._there(folder, self._walk(folder), call)), sync)
        with explained(f"download {folder.url}"):
            target.mkdir(parents=True, exist_ok=True)  # also for nothing
        places.complain()

    # --- look, and remove

    def is_obs_path_exists(self, obs_path: str) -> bool:
        """Whether an object, a folder or a bucket is there; a folder with or without its final slash."""
        path = _path(obs_path)
        return (path.as_dir != path and self._find(path) is not None) or self._is_folder(path.as_dir)

    def exists(self, obs_path: str) -> bool:
        """The same as `is_obs_path_exists`."""
        return self.is_obs_path_exists(obs_path)

    def list(self, obs_path: str, recursive: bool = False) -> Items:
        """What lies in a folder of a bucket, or in a bucket: its objects and folders, each with `url` and `size`.

        Args:
            obs_path: the folder; an object lists itself.
            recursive: all objects below it, too; of folders, those that were made and not uploaded.

        Raises:
            ObsError: there is no such path.
        """
        path = _path(obs_path)
        if path.as_dir != path and (item := self._find(path)) is not None:
            return [item]
        return [*self._there(path.as_dir, self._walk(path.as_dir, recursive), "list")]

    def delete(self, obs_path: str, recursive: bool = False) -> None:
        """Remove an object, or with `recursive` a folder and all that is in it; a bucket is emptied and stays.

        Raises:
            ObsError: there is no such path, or it is a folder and `recursive` was not given.
        """
        path = _path(obs_path)
        if path.as_dir != path and self._find(path) is not None:
            self._remove(path)
        elif not self._is_folder(path.as_dir):
            raise self._nothing(path, f"delete: there is no object or folder {path.url}")
        elif not recursive:
            raise ObsError(f"delete: {path.as_dir.url} is a folder; to remove all that is in it, give recursive=True")
        else:
            self._remove_folder(path.as_dir)

    def create_directory(self, obs_dir: str) -> None:
        """Make an empty folder in a bucket; needed only where something looks for it, as uploads make folders."""
        self._make_folder(obs_path(obs_dir).as_dir)


def _files(folder: Path) -> Iterator[Path]:
    with explained(f"read the folder {str(folder)!r}"):
        yield from tree.walk(folder)


_path = obs_path  # within the class above, some arguments have its name
