"""Local code and data on their way to a bucket: the same content goes to the same place, once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelarts._obs.paths import ObsPath, is_local

if TYPE_CHECKING:
    from modelarts.session import Session

_LEFT_OUT = {".git", "__pycache__", ".ipynb_checkpoints", ".venv"}
FOLDER = "uploads"
_MARK = ".complete"


def target(path: str | os.PathLike[str], bucket: str) -> ObsPath:
    """The place in `bucket` for a local file or folder; it depends on the content alone."""
    source = Path(path).expanduser().resolve()
    place = ObsPath(bucket, f"{FOLDER}/{_digest(source)}/{source.name}")
    return place.as_dir if source.is_dir() else place


def send(session: Session, path: Any, announce: Callable[[str], None]) -> None:
    """Upload `path` to its place in the default bucket when it is a local one and not there yet."""
    if path is None or not is_local(path):
        return
    source = Path(path).expanduser().resolve()
    place = target(source, session.default_bucket())
    folder = ObsPath(place.bucket, place.key.rstrip("/").rpartition("/")[0]).as_dir
    if session.obs.is_obs_path_exists((folder / _MARK).url):
        return
    files = list(_files(source))
    size = sum(file.stat().st_size for file in files)
    announce(f"uploading {path} ({len(files)} files, {size / 1e6:.1f} MB) to {place.url}")
    for file in files:
        inside = file.parent.relative_to(source.parent).as_posix()
        session.obs.upload_file(file, (folder / inside).as_dir.url if inside != "." else folder.url)
    with tempfile.TemporaryDirectory() as scratch:
        mark = Path(scratch, _MARK)
        mark.touch()
        session.obs.upload_file(mark, folder.url)  # last: what was cut off before is sent again


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for folder, names, files in os.walk(source):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT)
        for name in sorted(files):
            yield Path(folder, name)


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(source):
        name = file.name if source.is_file() else file.relative_to(source).as_posix()
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
