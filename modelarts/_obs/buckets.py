"""What `session.obs` offers and its rules, wherever the buckets are; a store adds how bytes get there and back."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Optional, Union

import attrs

from modelarts._obs.paths import PART, ObsPath, bucket_name_fault
from modelarts._obs.transfer import Transfer, Unit, shown
from modelarts.errors import ObsError

LocalPath = Union[str, "os.PathLike[str]"]
THREADS = 8

NOT_THERE, BAD_ARGUMENT, FAILED, REFUSED = "ModelArts.0015", "ModelArts.0104", "ModelArts.1002", "ModelArts.1003"


@attrs.frozen
class Item:
    """What lies in a bucket: an object, or a folder, whose `url` ends with a slash."""

    url: str
    size: int = 0
    modified: Optional[datetime] = None
    etag: str = attrs.field(default="", repr=False)

    @property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.url.endswith("/")

    @property
    def path(self) -> ObsPath:
        """Its place."""
        bucket, _, key = self.url[len("obs://") :].partition("/")
        return ObsPath(bucket, key)


Items = list[Item]  # within the class below, `list` is one of its methods


class Buckets(ABC):
    """Upload to, download from and look into buckets.

    Paths in buckets are written `obs://bucket/key`, `s3://bucket/key` or `/bucket/key`. Transfers take these options:

    Args:
        sync: move only what is not there yet or has changed.
        threads: how many files, or parts of large ones, are moved at once.
        progress: show how far it is; left out, it is shown on terminals and in notebooks.
    """

    threads = THREADS

    # --- buckets

    def create_bucket(self, bucket_name: str) -> None:
        """Make a bucket; one that is there already stays as it is.

        Args:
            bucket_name: 3 to 63 lower-case letters, digits, hyphens or dots.

        Raises:
            ObsError: the name breaks the rule or belongs to somebody else, or it cannot be made.
        """
        if rule := bucket_name_fault(bucket_name):
            raise ObsError(f"bucket name {bucket_name!r}: {rule}", BAD_ARGUMENT)
        self._make_bucket(bucket_name)

    def delete_bucket(self, bucket_name: str) -> None:
        """Remove an empty bucket.

        Raises:
            ObsError: there is no such bucket, or it is not empty.
        """
        self._remove_bucket(self._path(f"/{bucket_name}").bucket)

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
        source = Path(src_local_file).expanduser()
        if not source.is_file():
            raise ObsError(f"upload_file: there is no local file {str(source)!r}")
        target = self._path(dst_obs_dir).as_dir / source.name
        there = [self._find(target)] if sync else []
        self._upload([(source, target)], filter(None, there), f"upload to {target.url}", threads, progress)

    def upload_dir(
        self, src_local_dir: LocalPath, dst_obs_dir: str, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
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
        target = (self._path(dst_obs_dir).as_dir / source.name).as_dir
        self.upload_contents(source, target, sync=sync, threads=threads, progress=progress)

    def upload_contents(
        self, source: Path, target: ObsPath, files: Iterable[Path] | None = None, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy what is in a local folder, not the folder itself, to `target`; all of it, or the given files of it."""
        chosen = files_below(source) if files is None else files
        pairs = ((file, target / file.relative_to(source).as_posix()) for file in chosen)
        there = self._walk(target.as_dir) if sync else ()
        self._upload(pairs, there, f"upload to {target.url}", threads, progress)

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
        path = self._path(src_obs_file)
        item = None if path.as_dir == path else self._find(path)
        if item is None:
            raise self._nothing(path, f"download_file: there is no object {path.url}")
        target = Path(dst_local_dir).expanduser()
        if target.is_dir() or os.fspath(dst_local_dir).endswith(("/", os.sep)):
            target = target / path.name
        self._download([(item, target)], sync, f"download {path.url}", threads, progress)

    def download_dir(
        self, src_obs_dir: str, dst_local_dir: LocalPath, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy a folder of a bucket into a local folder, keeping its last name (modelarts_04_0221).

        Args:
            src_obs_dir: the folder, such as `obs://bucket/dir1/`.
            dst_local_dir: the local folder that gets `dir1/`.

        Raises:
            ObsError: no such folder, or it cannot be written.
        """
        path = self._path(src_obs_dir)
        target = Path(dst_local_dir).expanduser() / path.name
        self.download_contents(path, target, sync=sync, threads=threads, progress=progress)

    def download_contents(
        self, path: ObsPath, target: Path, *,
        sync: bool = False, threads: int | None = None, progress: bool | None = None,
    ) -> None:  # fmt: skip
        """Copy what is in a folder of a bucket, not the folder itself, to a local folder."""
        folder = path.as_dir
        items = self._there(folder, self._walk(folder), "download_dir")
        pairs = ((item, _local_place(item, folder, target)) for item in items if not item.is_dir)
        self._download(pairs, sync, f"download {path.url}", threads, progress)

    # --- look, and remove

    def is_obs_path_exists(self, obs_path: str) -> bool:
        """Whether an object, a folder or a bucket is there; a folder with or without its final slash."""
        path = self._path(obs_path)
        return (path.as_dir != path and self._find(path) is not None) or self._is_folder(path.as_dir)

    def exists(self, obs_path: str) -> bool:
        """The same as `is_obs_path_exists`."""
        return self.is_obs_path_exists(obs_path)

    def list(self, obs_path: str, recursive: bool = False) -> Items:
        """What lies in a folder of a bucket, or in a bucket: its objects and folders, each with `url` and `size`.

        Args:
            obs_path: the folder; an object lists itself.
            recursive: all objects below it, too.

        Raises:
            ObsError: there is no such path.
        """
        path = self._path(obs_path)
        if path.as_dir != path and (item := self._find(path)) is not None:
            return [item]
        return [*self._there(path.as_dir, self._walk(path.as_dir, recursive), "list")]

    def delete(self, obs_path: str, recursive: bool = False) -> None:
        """Remove an object, or with `recursive` a folder and all that is in it; a bucket is emptied and stays.

        Raises:
            ObsError: there is no such path, or it is a folder and `recursive` was not given.
        """
        path = self._path(obs_path)
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
        self._make_folder(self._path(obs_dir).as_dir)

    # --- what a store adds

    @abstractmethod
    def close(self) -> None:
        """Close connections; they are opened again when needed."""

    @abstractmethod
    def _make_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _remove_bucket(self, name: str) -> None: ...

    @abstractmethod
    def _find(self, path: ObsPath) -> Item | None:
        """The object of exactly this path."""

    @abstractmethod
    def _is_folder(self, path: ObsPath) -> bool:
        """Whether there is this folder, or for an empty key this bucket."""

    @abstractmethod
    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        """The objects in a folder, and its folders where not `recursive`; nothing when there is no such folder."""

    @abstractmethod
    def _same(self, file: Path, item: Item) -> bool:
        """Whether a local file of the object's size has the object's content."""

    @abstractmethod
    def _sending(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Unit]:
        """The work that uploads a file."""

    @abstractmethod
    def _fetching(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Unit]:
        """The work that downloads an object; nothing stands under the target's name before it is whole."""

    @abstractmethod
    def _remove(self, path: ObsPath) -> None: ...

    @abstractmethod
    def _remove_folder(self, folder: ObsPath) -> None: ...

    @abstractmethod
    def _make_folder(self, folder: ObsPath) -> None: ...

    # --- shared

    def _path(self, text: str) -> ObsPath:
        try:
            return ObsPath.parse(text)
        except ValueError as error:
            raise ObsError(f"OBS path {text!r}: {error}", BAD_ARGUMENT) from None

    def _nothing(self, path: ObsPath, message: str) -> ObsError:
        """The error for a path that is not there; it may be that the bucket is not."""
        return ObsError(message, NOT_THERE) if self._is_folder(ObsPath(path.bucket)) else no_bucket(path.bucket)

    def _there(self, folder: ObsPath, items: Iterable[Item], call: str) -> Iterator[Item]:
        """The items; when there are none, the folder must exist."""
        empty = True
        for item in items:
            empty = False
            yield item
        if empty and not self._is_folder(folder):
            raise ObsError(f"{call}: there is no folder {folder.url}", NOT_THERE)

    def _upload(
        self, pairs: Iterable[tuple[Path, ObsPath]], there: Iterable[Item], title: str,
        threads: int | None, progress: bool | None,
    ) -> None:  # fmt: skip
        """Upload files, except those whose content is there."""
        transfer = Transfer(_count(self.threads if threads is None else threads), shown(title, progress))

        def units() -> Iterator[Unit]:
            known = {item.url: item for item in there}
            for source, target in pairs:
                with explained(f"upload to {target.url}"):
                    size = source.stat().st_size
                transfer.meter.found(size)
                item = known.get(target.url)
                work = partial(self._sending, source, target, transfer)
                if item is not None and item.size == size:
                    yield partial(self._unless_same, source, item, transfer, work)
                else:
                    yield from work()

        transfer.run(units())

    def _download(
        self, pairs: Iterable[tuple[Item, Path]], sync: bool, title: str, threads: int | None, progress: bool | None
    ) -> None:
        transfer = Transfer(_count(self.threads if threads is None else threads), shown(title, progress))

        def units() -> Iterator[Unit]:
            for item, target in pairs:
                transfer.meter.found(item.size)
                work = partial(self._fetching, item, target, transfer)
                if sync and target.is_file() and target.stat().st_size == item.size:
                    yield partial(self._unless_same, target, item, transfer, work)
                else:
                    yield from work()

        transfer.run(units())

    def _unless_same(self, file: Path, item: Item, transfer: Transfer, work: partial[Iterator[Unit]]) -> None:
        with explained(f"compare with {item.url}"):
            same = self._same(file, item)
        if same:
            transfer.meter.left_out(item.size)
        else:
            for unit in work():
                unit()


def files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and its folders, in the order of their names; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise error

    with explained(f"read the folder {str(folder)!r}"):
        for place, names, files in os.walk(folder, onerror=refuse):
            names.sort()
            for name in sorted(files):
                file = Path(place, name)
                if not name.startswith(PART) and file.is_file():  # no socket, no link that leads nowhere
                    yield file


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Failures of the local file system as errors that say what was to be done."""
    try:
        yield
    except ObsError:
        raise
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        raise ObsError(f"cannot {doing}: {error.strerror or error}{name}") from error


def no_bucket(name: str) -> ObsError:
    """The error for a bucket that is not there."""
    return ObsError(f"there is no bucket {name!r}; make it with session.obs.create_bucket({name!r})", NOT_THERE)


def not_empty(name: str) -> ObsError:
    """The error for a bucket that cannot be removed yet."""
    return ObsError(f"bucket {name!r} is not empty; session.obs.delete('obs://{name}/', recursive=True) empties it")


def _local_place(item: Item, folder: ObsPath, target: Path) -> Path:
    """Where an object of a folder goes; never to a place outside of the target, whatever its key says."""
    inside = item.path.key[len(folder.key) :]
    if {"", ".", ".."} & {*inside.split("/")} or "\0" in inside:
        raise ObsError(f"download_dir: the object {item.url} has a name that no local file can have")
    return target / inside


def _count(threads: int) -> int:
    if threads < 1:
        raise ObsError(f"threads={threads}: write a whole number from 1", BAD_ARGUMENT)
    return threads
