"""Local code and data that go along with a call: which files, how much they are, and what names their place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from heapq import nlargest
from pathlib import Path
from typing import Optional, Union

import attrs

from modelarts._obs.paths import ObsPath, expanded
from modelarts._obs.transfer.worker_pool import Meter, shown
from modelarts._submit.staging.ignore import IGNORE_FILE, FileFilter, identities

LocalPath = Union[str, "os.PathLike[str]"]
CODE = "code_dir"
FOLDER = "uploads"
_CHUNK = 1 << 20
_UNKNOWN = ObsPath("")


@attrs.frozen
class Bundle:
    """Local code or data that goes along with a call.

    Args:
        given: the path as the user wrote it.
        source: the file or folder.
        files: all that goes along, as it was when it was found.
        left_out: what does not.
        place: where it goes; that of an empty name is not known yet.
    """

    given: LocalPath
    source: Path
    files: Mapping[Path, os.stat_result] = attrs.field(repr=False)
    left_out: FileFilter = attrs.field(repr=False)
    place: ObsPath

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(status.st_size for status in self.files.values())

    @property
    def measure(self) -> str:
        """How much it is, for messages."""
        return f"{len(self.files)} {'file' if len(self.files) == 1 else 'files'}, {_size(self.size)}"

    @property
    def without(self) -> str:
        """What was left out at the top of it, for messages."""
        names = self.left_out.names
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more

    @property
    def folder(self) -> ObsPath:
        """The folder of a bucket that gets it, and holds nothing else."""
        return ObsPath(self.place.bucket, self.place.key.rstrip("/").rpartition("/")[0]).as_dir

    def addressed(self, bucket: str) -> Bundle:
        """The same with its place in a bucket; all of it is read for that.

        Raises:
            OSError: something cannot be read.
        """
        key = f"{FOLDER}/{_digest(self)}/{self.source.name}"
        place = ObsPath(bucket, key)
        return attrs.evolve(self, place=place.as_dir if self.source.is_dir() else place)

    def target(self, file: Path) -> ObsPath:
        """Where a file of it goes."""
        return self.folder / file.relative_to(self.source.parent).as_posix()

    def missing(self, inside: str) -> Optional[str]:
        """Why a script in it cannot be started; nothing when it goes along."""
        path = self.source / inside
        if path in self.files:
            return None
        if path.is_dir():
            return "names a folder; give the script in it that is to be started"
        if not path.exists():
            return f"there is no such file in {self.source}"
        return f"is not sent: {self.left_out.reason(path)}"

    def changed(self) -> Optional[Path]:
        """A file that is not what it was."""
        return next((file for file, status in self.files.items() if _now(file) != _identity(status)), None)


def pack(argument: str, path: LocalPath, state: Iterable[Path]) -> Bundle:
    """What goes along for an argument of a call.

    Args:
        state: folders that hold the state of this package.

    Raises:
        ValueError: it cannot go along; the text says why.
        OSError: something cannot be read.
    """
    source = Path(os.path.abspath(expanded(path)))  # noqa: PTH100  a link keeps its own name
    if argument == CODE and not source.is_dir():
        raise ValueError(f"names a file; give the folder that it lies in, and boot_file={source.name!r}")
    if not source.name:
        raise ValueError("names all of this machine; give a folder")
    hidden = identities(state)
    if identities([source]) & hidden:
        raise ValueError("this folder holds the state of this package and is not sent; give another")
    left_out = FileFilter(source, hidden)
    files = left_out.kept() if source.is_dir() else [source]
    return Bundle(path, source, {file: file.stat() for file in files}, left_out, _UNKNOWN)


def check(parcel: Bundle, name: str, limit: int) -> None:
    """Refuse nothing at all, and more than a setting allows, in MB. Raises `ValueError`."""
    if not parcel.files:
        raise ValueError("has no file to send" + (f"; left out: {parcel.without}" if parcel.without else ""))
    if parcel.size <= limit * 1_000_000:
        return
    largest = nlargest(5, parcel.files, key=lambda file: parcel.files[file].st_size)
    named = "".join(f"\n      {file.relative_to(parcel.source.parent)}: {_size(parcel.files[file].st_size)}"
                    for file in largest)  # fmt: skip
    raise ValueError(
        f"has {parcel.measure}, more than the setting {name} allows ({limit} MB). Its largest files:{named}\n"
        f"    Name what the job does not need in {parcel.source / IGNORE_FILE}, a pattern on each line as in "
        "a .gitignore; or upload data with session.obs.upload_dir(…) and give the path obs://… to the job; or allow "
        f"more: MODELARTS_{name.upper()}={parcel.size // 1_000_000 + 1}"
    )


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _now(file: Path) -> Optional[tuple[int, ...]]:
    try:
        return _identity(file.stat())
    except OSError:
        return None


def _digest(parcel: Bundle) -> str:
    """What the place depends on: whether it is a folder, and each file with its name and its content."""
    digest = hashlib.sha256(b"folder\0" if parcel.source.is_dir() else b"file\0")
    meter = shown(f"read {parcel.given}", None)
    try:
        for status in parcel.files.values():
            meter.found(status.st_size)
        meter.found_all()
        for file, status in parcel.files.items():
            name = file.relative_to(parcel.source.parent).as_posix()
            digest.update(f"{name}\0{status.st_size}\0".encode(errors="surrogateescape"))
            digest.update(_sha256(file, meter))
    finally:
        meter.close()
    return digest.hexdigest()[:16]


def _sha256(file: Path, meter: Meter) -> bytes:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                meter.moved(len(chunk))
    except OSError as error:
        error.filename = error.filename or str(file)  # reading names none
        raise
    meter.finished()
    return digest.digest()


def _size(count: int) -> str:
    from modelarts._display.progress import size_text

    return size_text(count)
