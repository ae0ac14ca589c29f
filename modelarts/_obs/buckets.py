"""The calls of `session.obs` and their rules, for local buckets and those of the cloud."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelarts._obs.arguments import existing_bucket_name, local_path, new_bucket_name, obs_path
from modelarts._obs.backend import Item, StorageBackend
from modelarts._obs.failures import not_local_error, report_os_errors
from modelarts._obs.paths import ObsPath
from modelarts._obs.transfer.plan import DownloadTargets, TransferPlan
from modelarts.errors import ObsError

Items = list[Item]  # in the class below, `list` is a method


class Buckets(StorageBackend):
    """Upload, download, list and delete in buckets.

    Paths in buckets are written `obs://bucket/key`, `s3://bucket/key` or `/bucket/key`. Transfers take these options:

    Args:
        sync: transfer only what is missing or has changed.
        threads: how many files, or parts of large ones, are transferred at once.
        progress: whether to show progress; by default, on terminals and in notebooks.
    """

    # --- buckets

    def create_bucket(self, bucket_name: str) -> None:
        """Create a bucket; an existing one is left as it is.

        Args:
            bucket_name: 3 to 63 lower-case letters, digits, hyphens or dots.

        Raises:
            ObsError: the name breaks the rule or belongs to another account, or it cannot be created.
        """
        self._create_bucket(new_bucket_name(bucket_name))

    def delete_bucket(self, bucket_name: str) -> None:
        """Delete an empty bucket.

        Raises:
            ObsError: the bucket does not exist or is not empty.
        """
        self._remove_bucket(existing_bucket_name(bucket_name))

    # --- upload

    def upload_file(
        self, src_local_file: str | os.PathLike[str], dst_obs_dir: str, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a local file into a folder of a bucket, under its own name (modelarts_04_0218).

        Args:
            src_local_file: the local file.
            dst_obs_dir: the folder, such as `obs://bucket/dir1/`; it is created if it does not exist. A name with an
                extension and no slash at its end, such as `obs://bucket/models/best.pt`, is that of the object, unless
                there is such a folder.

        Raises:
            ObsError: the file or the bucket does not exist, or it cannot be uploaded.
        """
        source = local_path(src_local_file, "upload_file")
        with report_os_errors(f"upload {str(source)!r}"):
            if not source.is_file():
                raise not_local_error("upload_file", "file", source)
        target = obs_path(dst_obs_dir).as_output
        if target.as_dir == target or self._is_folder(target.as_dir):
            target = target / source.name
        plan = TransferPlan(self, f"upload to {target.url}", threads, progress)
        existing = filter(None, [self._find(target)] if sync else [])
        plan.upload([(source, target)], existing, target.bucket)

    def upload_dir(
        self, src_local_dir: str | os.PathLike[str], dst_obs_dir: str, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a local folder into a folder of a bucket, keeping its own name (modelarts_04_0219).

        `upload_dir("code", "obs://bucket/dir1/")` creates `obs://bucket/dir1/code/…`. Empty folders are skipped; links
        are followed.

        Args:
            src_local_dir: the local folder.
            dst_obs_dir: the folder of the bucket to upload it into.

        Raises:
            ObsError: the folder or the bucket does not exist, or it cannot be uploaded.
        """
        source = local_path(src_local_dir, "upload_dir")
        with report_os_errors(f"upload {str(source)!r}"):
            if not source.is_dir():
                raise not_local_error("upload_dir", "folder", source)
            source = source.resolve() if source.name in ("", "..") else source.absolute()  # a link keeps its name
        target = (obs_path(dst_obs_dir).as_dir / source.name).as_dir
        self.upload_contents(source, target, sync=sync, threads=threads, progress=progress)

    def upload_contents(
        self, source: Path, target: ObsPath, files: Iterable[Path] | None = None, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy the content of a local folder, or some files of it, to the folder `target`."""
        plan = TransferPlan(self, f"upload to {target.url}", threads, progress)

        def pairs() -> Iterator[tuple[Path, ObsPath]]:
            with report_os_errors(f"read the folder {str(source)!r}"):
                for file in self._to_upload(source, files, target, sync, plan.transfer):
                    yield file, target / file.relative_to(source).as_posix()

        plan.upload(pairs(), self._walk(target.as_dir) if sync else (), target.bucket)

    # --- download

    def download_file(
        self, src_obs_file: str, dst_local_dir: str | os.PathLike[str], *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy an object to a local folder, or to the file that `dst_local_dir` names (modelarts_04_0220).

        Args:
            src_obs_file: the object, such as `obs://bucket/dir1/file1.txt`.
            dst_local_dir: a folder (one that exists, or a path with a final slash), else the file to write.

        Raises:
            ObsError: the object does not exist, or it cannot be written.
        """
        path = obs_path(src_obs_file)
        target = local_path(dst_local_dir, "download_file")
        plan = TransferPlan(self, f"download {path.url}", threads, progress)
        item = None if path.as_dir == path else self._find(path)
        if item is None:
            raise self._not_found(path, f"download_file: there is no object {path.url}", "use download_dir")
        with report_os_errors(f"download {path.url}"):
            if target.is_dir() or os.fspath(dst_local_dir).endswith(("/", os.sep)):
                target = target / path.name
        plan.download([(item, target)], sync)

    def download_dir(
        self, src_obs_dir: str, dst_local_dir: str | os.PathLike[str], *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a folder of a bucket into a local folder, keeping its last name (modelarts_04_0221).

        Args:
            src_obs_dir: the folder, such as `obs://bucket/dir1/`.
            dst_local_dir: the local folder to create `dir1/` in.

        Raises:
            ObsError: the folder does not exist or cannot be written; or some objects have names that no local file
                can have, after all others were downloaded.
        """
        path = obs_path(src_obs_dir)
        target = local_path(dst_local_dir, "download_dir") / path.name
        self.download_contents(path, target, sync=sync, threads=threads, progress=progress)

    def download_contents(
        self, path: ObsPath, target: Path, call: str = "download_dir", *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy the content of a folder of a bucket to a local folder."""
        folder = path.as_dir
        plan = TransferPlan(self, f"download {path.url}", threads, progress)
        targets = DownloadTargets(folder, target)
        items = self._to_download(folder, target, sync, plan.transfer)
        plan.download(targets.pairs(self._existing(folder, items, call)), sync)
        with report_os_errors(f"download {folder.url}"):
            target.mkdir(parents=True, exist_ok=True)  # also for an empty one
        targets.raise_if_any_skipped()

    # --- list and delete

    def is_obs_path_exists(self, obs_path: str) -> bool:
        """Whether an object, a folder or a bucket exists; a folder with or without its final slash."""
        path = _path(obs_path)
        return (path.as_dir != path and self._find(path) is not None) or self._is_folder(path.as_dir)

    def is_obs_file(self, obs_path: str) -> bool:
        """Whether an object exists; false for folders and buckets."""
        path = _path(obs_path)
        return path.as_dir != path and self._find(path) is not None

    def exists(self, obs_path: str) -> bool:
        """The same as `is_obs_path_exists`."""
        return self.is_obs_path_exists(obs_path)

    def list(self, obs_path: str, recursive: bool = False) -> Items:
        """The objects and folders in a folder of a bucket, or in a bucket, each with `url` and `size`.

        Args:
            obs_path: the folder; an object lists itself.
            recursive: all objects below it; of folders, only those that `create_directory` created.

        Raises:
            ObsError: the path does not exist.
        """
        path = _path(obs_path)
        if path.as_dir != path and (item := self._find(path)) is not None:
            return [item]
        return [*self._existing(path.as_dir, self._walk(path.as_dir, recursive), "list")]

    def delete(self, obs_path: str, recursive: bool = False) -> None:
        """Delete an object, or with `recursive` a folder and everything in it; a bucket is emptied, not deleted.

        Raises:
            ObsError: the path does not exist, or it is a folder and `recursive` is not set.
        """
        path = _path(obs_path)
        if path.as_dir != path and self._find(path) is not None:
            self._remove(path)
        elif not self._is_folder(path.as_dir):
            raise self._not_found(path, f"delete: there is no object or folder {path.url}")
        elif not recursive:
            raise ObsError(f"delete: {path.as_dir.url} is a folder; to delete everything in it, pass recursive=True")
        else:
            self._remove_folder(path.as_dir)

    def create_directory(self, obs_dir: str) -> None:
        """Create an empty folder in a bucket. Uploads create folders themselves, so this is rarely needed."""
        self._create_folder(obs_path(obs_dir).as_dir)


_path = obs_path  # some arguments in the class above have its name
