"""What a file cannot tell of itself as an object: its ETag when it was sent in parts, headers it was sent with."""

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
class Note:
    """What is noted of an object. For a folder it says that the folder is an object, whatever lies in it."""

    etag: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)  # names of its own metadata begin with `meta-`


@attrs.frozen
class Notes:
    """Notes in a folder. One counts only as long as the file is the one that it was made for."""

    root: Path

    def read(self, bucket: str, key: str, status: os.stat_result) -> Note | None:
        """What is noted of an object, whose file has this status."""
        members = read_json(self._place(bucket, key))
        if not members or members.pop("stamp") != _stamp(status):
            return None
        return Note(**members)

    def write(self, bucket: str, key: str, status: os.stat_result, note: Note) -> None:
        place = self._place(bucket, key)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_private(place, {"stamp": _stamp(status), **attrs.asdict(note)})

    def forget(self, bucket: str, key: str) -> None:
        self._place(bucket, key).unlink(missing_ok=True)

    def forget_all(self, bucket: str) -> None:
        """Forget a bucket, with the parts of uploads to it."""
        shutil.rmtree(self.root / bucket, ignore_errors=True)

    def uploads(self, bucket: str) -> Path:
        """The folder of a bucket's uploads in parts."""
        return self.root / bucket / "uploads"

    def _place(self, bucket: str, key: str) -> Path:
        return self.root / bucket / "objects" / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


def _stamp(status: os.stat_result) -> Any:
    """What tells a file from another one under its name, or from what it was; of a folder, only the first."""
    if stat.S_ISDIR(status.st_mode):
        return [status.st_ino]
    return [status.st_ino, status.st_size, status.st_mtime_ns]
