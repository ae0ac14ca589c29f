"""Local code and data that a call uploads: files, size, and a path in a bucket that depends on their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from heapq import nlargest
from pathlib import Path
from typing import Optional, Union

import attrs

from modelarts._obs.paths import ObsPath, expand_user
from modelarts._obs.transfer.worker_pool import Meter, create_meter
from modelarts._submit.staging.ignore import IGNORE_FILE, FileFilter, identities
from modelarts._wire.sizes import size_text
from modelarts._wire.v1.limits import NOTEBOOK_RULE

LocalPath = Union[str, "os.PathLike[str]"]
CODE = "code_dir"
FOLDER = "uploads"
REQUIREMENTS = "pip-requirements.txt"
_CHUNK = 1 << 20
_BEGINNING = 4096  # characters that tell what cannot be a notebook
_UNKNOWN = ObsPath("")


@attrs.frozen
class Bundle:
    """Local code or data that a call uploads.

    Args:
        given: the path as the user wrote it.
        source: the file or folder.
        files: all files that are uploaded, with their status when they were listed.
        filter: which files are ignored.
        destination: the path in a bucket; unknown until `with_destination`.
        added: files that are uploaded with those of the folder, by their names in it.
    """

    given: LocalPath
    source: Path
    files: Mapping[Path, os.stat_result] = attrs.field(repr=False)
    filter: FileFilter = attrs.field(repr=False)
    destination: ObsPath
    added: Mapping[str, bytes] = attrs.field(factory=dict, repr=False)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(status.st_size for status in self.files.values()) + sum(map(len, self.added.values()))

    @property
    def size_text(self) -> str:
        """Number and size of the files, for messages."""
        count = len(self.files) + len(self.added)
        return f"{count} {'file' if count == 1 else 'files'}, {size_text(self.size)}"

    @property
    def ignored_text(self) -> str:
        """The ignored names at the top of the folder, for messages."""
        names = self.filter.names
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more

    @property
    def folder(self) -> ObsPath:
        """The folder of the bucket that holds this bundle alone."""
        return ObsPath(self.destination.bucket, self.destination.key.rstrip("/").rpartition("/")[0]).as_dir

    def with_requirements(self, lines: str) -> Bundle:
        """The same with requirements of pip behind those that the folder has.

        Raises:
            OSError: its file cannot be read.
        """
        own = self.source / REQUIREMENTS
        files = {file: status for file, status in self.files.items() if file != own}
        before = own.read_bytes() if own in self.files else b""
        added = {REQUIREMENTS: before + b"\n" * bool(before) + lines.encode()}
        return attrs.evolve(self, files=files, added=added)

    def with_destination(self, bucket: str) -> Bundle:
        """The same with its path in a bucket; all files are read for it.

        Raises:
            OSError: a file cannot be read.
        """
        key = f"{FOLDER}/{_digest(self)}/{self.source.name}"
        destination = ObsPath(bucket, key)
        return attrs.evolve(self, destination=destination.as_dir if self.source.is_dir() else destination)

    def target(self, file: Path) -> ObsPath:
        """The object for one of the files."""
        return self.folder / file.relative_to(self.source.parent).as_posix()

    def script_problem(self, inside: str) -> Optional[str]:
        """Why a script in the folder cannot be started; `None` when it is uploaded."""
        path = self.source / inside
        if path in self.files:
            return f"is a notebook; it must be {NOTEBOOK_RULE}" if _is_notebook(path) else None
        if path.is_dir():
            return "names a folder; give the script in it that is to be started"
        if not path.exists():
            return f"there is no such file in {self.source}"
        return f"is not sent: {self.filter.reason(path)}"

    def modified_file(self) -> Optional[Path]:
        """A file that changed after it was listed, or `None`."""
        return next((file for file, status in self.files.items() if _current(file) != _identity(status)), None)


def pack(argument: str, path: LocalPath, state: Iterable[Path], results: Iterable[Path] = ()) -> Bundle:
    """List the files of an argument of a call.

    Args:
        argument: its name.
        path: its value.
        state: folders that hold the state of this package.
        results: folders in it that are not uploaded either.

    Raises:
        ValueError: it cannot be uploaded; the message says why.
        OSError: a file or folder cannot be read.
    """
    source = Path(os.path.abspath(expand_user(path)))  # noqa: PTH100  a link keeps its own name
    if argument == CODE and not source.is_dir():
        raise ValueError(f"names a file; give the folder that contains it, and boot_file={source.name!r}")
    if not source.name:
        raise ValueError("names a whole disk; give a folder")
    hidden = identities(state)
    if identities([source]) & hidden:
        raise ValueError("this folder holds the state of this package and is not sent; give another")
    file_filter = FileFilter(source, hidden | (identities(results) - identities([source])))
    files = file_filter.kept() if source.is_dir() else [source]
    return Bundle(path, source, {file: file.stat() for file in files}, file_filter, _UNKNOWN)


def check(packed: Bundle, name: str, limit: int) -> None:
    """Raises `ValueError` for a bundle without files, and for one that is larger than a setting allows.

    Args:
        packed: the bundle.
        name: the setting.
        limit: its value, in MB.
    """
    if not packed.files:
        ignored = packed.ignored_text
        raise ValueError("has no file to send" + (f"; ignored: {ignored}" if ignored else ""))
    if packed.size <= limit * 1_000_000:
        return
    largest = nlargest(5, packed.files, key=lambda file: packed.files[file].st_size)
    named = "".join(f"\n      {file.relative_to(packed.source.parent)}: {size_text(packed.files[file].st_size)}"
                    for file in largest)  # fmt: skip
    raise ValueError(
        f"has {packed.size_text}, more than the setting {name} allows ({limit} MB). Its largest files:{named}\n"
        f"    Name what the job does not need in {packed.source / IGNORE_FILE}, one pattern per line as in a "
        ".gitignore; or upload data with session.obs.upload_dir(…) and give the path obs://… to the job; or allow "
        f"more: MODELARTS_{name.upper()}={packed.size // 1_000_000 + 1}"
    )


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _current(file: Path) -> Optional[tuple[int, ...]]:
    try:
        return _identity(file.stat())
    except OSError:
        return None


def _digest(packed: Bundle) -> str:
    """A digest of the kind of the source, and of the name and content of each file."""
    digest = hashlib.sha256(b"folder\0" if packed.source.is_dir() else b"file\0")
    meter = create_meter(f"read {packed.given}", None)
    try:
        for status in packed.files.values():
            meter.found(status.st_size)
        meter.found_all()
        for file, status in packed.files.items():
            name = file.relative_to(packed.source.parent).as_posix()
            digest.update(f"{name}\0{status.st_size}\0".encode(errors="surrogateescape"))
            digest.update(_sha256(file, meter))
        for added, content in packed.added.items():
            digest.update(f"{added}\0{len(content)}\0".encode() + hashlib.sha256(content).digest())
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
        error.filename = error.filename or str(file)  # errors of reading have no name
        raise
    meter.finished()
    return digest.digest()


def _is_notebook(script: Path) -> bool:
    """Whether a file is a notebook, whatever its name. As a Python script, it would do nothing, or end in an error."""
    import json  # for the rare file that begins like one

    try:
        with script.open(encoding="utf-8-sig") as file:
            if not file.read(_BEGINNING).lstrip().startswith("{"):
                return False
            file.seek(0)
            content = json.load(file)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "nbformat" in content and "cells" in content
