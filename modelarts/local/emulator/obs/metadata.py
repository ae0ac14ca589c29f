"""Metadata of objects that files cannot store: the ETag of multipart uploads, and headers."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import attrs

from modelarts.local.paths import read_json, write_private


@attrs.frozen
class Metadata:
    """Metadata of one object. If a folder has some, the folder is an object even if it is not empty."""

    etag: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)  # names of user metadata begin with `meta-`


@attrs.frozen
class MetadataStore:
    """Metadata files in a folder. An entry is valid as long as the file is the one that it was written for."""

    root: Path

    def read(self, bucket: str, key: str, status: os.stat_result) -> Metadata | None:
        """The metadata of an object whose file has this status."""
        members = read_json(self._path(bucket, key))
        if not members or members.pop("stamp") != _stamp(status):
            return None
        return Metadata(**members)

    def write(self, bucket: str, key: str, status: os.stat_result, metadata: Metadata) -> None:
        path = self._path(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, {"stamp": _stamp(status), **attrs.asdict(metadata)})

    def remove(self, bucket: str, key: str) -> None:
        self._path(bucket, key).unlink(missing_ok=True)

    def remove_all(self, bucket: str) -> None:
        """Remove the metadata of a bucket, and its unfinished uploads."""
        shutil.rmtree(self.root / bucket, ignore_errors=True)

    def uploads(self, bucket: str) -> Path:
        """The folder of the multipart uploads of a bucket."""
        return self.root / bucket / "uploads"

    def _path(self, bucket: str, key: str) -> Path:
        return self.root / bucket / "objects" / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


def _stamp(status: os.stat_result) -> Any:
    """Identifies a version of a file; for folders, only the inode."""
    if stat.S_ISDIR(status.st_mode):
        return [status.st_ino]
    return [status.st_ino, status.st_size, status.st_mtime_ns]
