"""`session.obs` over buckets that are directories on this machine (modelarts_04_0218 to modelarts_04_0221)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union

from modelarts._obs.paths import ObsPath, bucket_name_fault
from modelarts.errors import ObsError

LocalPath = Union[str, "os.PathLike[str]"]


class LocalBuckets:
    """Upload to, download from and look into buckets that are folders below `root`."""

    def __init__(self, root: LocalPath) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"LocalBuckets({str(self.root)!r})"

    def create_bucket(self, bucket_name: str) -> None:
        """Make a bucket; one that is there already stays as it is.

        Args:
            bucket_name: 3 to 63 lower-case letters, digits, hyphens or dots.

        Raises:
            ObsError: the name breaks the rule, or the folder cannot be written.
        """
        if rule := bucket_name_fault(bucket_name):
            raise ObsError(f"bucket name {bucket_name!r}: {rule}", "ModelArts.0104")
        with _explained(f"create bucket {bucket_name!r}"):
            (self.root / bucket_name).mkdir(parents=True, exist_ok=True)

    def upload_file(self, src_local_file: LocalPath, dst_obs_dir: str) -> None:
        """Copy a local file into a folder of a bucket, under its own name (modelarts_04_0218).

        Args:
            src_local_file: the local file.
            dst_obs_dir: the folder, such as `obs://bucket/dir1/`; it is made when missing.

        Raises:
            ObsError: no such file, no such bucket, or it cannot be written.
        """
        source = Path(src_local_file).expanduser()
        if not source.is_file():
            raise ObsError(f"upload_file: there is no local file {str(source)!r}")
        self._put(source, self._path(dst_obs_dir).as_dir / source.name)

    def upload_dir(self, src_local_dir: LocalPath, dst_obs_dir: str) -> None:
        """Copy a local folder into a folder of a bucket, keeping its own name (modelarts_04_0219).

        `upload_dir("code", "obs://bucket/dir1/")` makes `obs://bucket/dir1/code/…`; empty folders are left out.

        Args:
            src_local_dir: the local folder.
            dst_obs_dir: the folder of the bucket that gets it.

        Raises:
            ObsError: no such folder, no such bucket, or it cannot be written.
        """
        source = Path(src_local_dir).expanduser().resolve()
        if not source.is_dir():
            raise ObsError(f"upload_dir: there is no local folder {str(source)!r}")
        self.upload_contents(source, (self._path(dst_obs_dir).as_dir / source.name).as_dir)

    def upload_contents(self, source: Path, target: ObsPath) -> None:
        """Copy what is in a local folder, not the folder itself, to `target`."""
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            self._put(file, target / file.relative_to(source).as_posix())

    def download_file(self, src_obs_file: str, dst_local_dir: LocalPath) -> None:
        """Copy an object to a local folder, or to the file that `dst_local_dir` names (modelarts_04_0220).

        Args:
            src_obs_file: the object, such as `obs://bucket/dir1/file1.txt`.
            dst_local_dir: a folder (it exists, or ends with a slash), else the name of the file to write.

        Raises:
            ObsError: no such object, or it cannot be written.
        """
        path = self._path(src_obs_file)
        source = path.under(self.root)
        if not source.is_file():
            raise ObsError(f"download_file: there is no object {path.url}", "ModelArts.0015")
        target = Path(dst_local_dir).expanduser()
        if target.is_dir() or os.fspath(dst_local_dir).endswith(("/", os.sep)):
            target = target / source.name
        _copy(source, target, f"download {path.url}")

    def download_dir(self, src_obs_dir: str, dst_local_dir: LocalPath) -> None:
        """Copy a folder of a bucket into a local folder, keeping its last name (modelarts_04_0221).

        Args:
            src_obs_dir: the folder, such as `obs://bucket/dir1/`.
            dst_local_dir: the local folder that gets `dir1/`.

        Raises:
            ObsError: no such folder, or it cannot be written.
        """
        path = self._path(src_obs_dir)
        source = path.under(self.root)
        if not source.is_dir():
            raise ObsError(f"download_dir: there is no folder {path.as_dir.url}", "ModelArts.0015")
        target = Path(dst_local_dir).expanduser() / path.name
        for file in sorted(item for item in source.rglob("*") if item.is_file()):
            _copy(file, target / file.relative_to(source), f"download {path.url}")

    def is_obs_path_exists(self, obs_path: str) -> bool:
        """Whether an object, a folder or a bucket is there; a folder with or without its final slash."""
        path = self._path(obs_path)
        place = path.under(self.root)
        return place.is_dir() if path.key.endswith("/") or not path.key else place.exists()

    def _path(self, text: str) -> ObsPath:
        try:
            return ObsPath.parse(text)
        except ValueError as error:
            raise ObsError(f"OBS path {text!r}: {error}", "ModelArts.0104") from None

    def _put(self, source: Path, path: ObsPath) -> None:
        if not (self.root / path.bucket).is_dir():
            raise ObsError(
                f"there is no bucket {path.bucket!r}; make it with session.obs.create_bucket({path.bucket!r})",
                "ModelArts.0015",
            )
        _copy(source, path.under(self.root), f"upload to {path.url}")


def _copy(source: Path, target: Path, doing: str) -> None:
    """Copy beside the target, then rename: no reader ever sees half a file under its final name."""
    with _explained(doing):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".part-", dir=target.parent)
        os.close(handle)
        try:
            shutil.copyfile(source, temporary)
            os.chmod(temporary, 0o644)  # noqa: PTH101
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink()
            raise


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ObsError(f"cannot {doing}: {error.strerror or error} ({error.filename})") from error
