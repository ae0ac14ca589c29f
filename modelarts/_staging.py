"""Local code and data on their way to a bucket: the same content goes to the same place, once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelarts._obs.paths import ObsPath, is_local
from modelarts.errors import ObsError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from modelarts.session import Session

FOLDER = "uploads"
IGNORE_FILE = ".modelartsignore"
CODE_LIMIT = 200_000_000  # bytes of a folder with Python files in it: more is data that got there by mistake
_LEFT_OUT = {".git", "__pycache__", ".ipynb_checkpoints", ".venv", IGNORE_FILE}
_MARK = ".complete"
_CHUNK = 1 << 20


def target(path: str | os.PathLike[str], bucket: str) -> ObsPath:
    """The place in `bucket` for a local file or folder; it depends on the content alone."""
    source = Path(path).expanduser().resolve()
    place = ObsPath(bucket, f"{FOLDER}/{_digest(source)}/{source.name}")
    return place.as_dir if source.is_dir() else place


def send(session: Session, path: Any, announce: Callable[[str], None]) -> None:
    """Upload `path` to its place in the default bucket when it is a local one and not there yet.

    Raises:
        ObsError: it is code, and too large; or it changed meanwhile; or it cannot be uploaded.
    """
    if path is None or not is_local(path):
        return
    source = Path(path).expanduser().resolve()
    files = list(_files(source))
    before = {file: file.stat() for file in files}
    sizes = {file: status.st_size for file, status in before.items()}
    _check_size(source, sizes)
    place = target(source, session.default_bucket())
    folder = ObsPath(place.bucket, place.key.rstrip("/").rpartition("/")[0]).as_dir
    if session.obs.is_obs_path_exists((folder / _MARK).url):
        return
    announce(f"uploading {path} ({len(files)} files, {sum(sizes.values()) / 1e6:.1f} MB) to {place.url}")
    session.obs.upload_contents(source.parent, folder, files, sync=True)  # what was cut off before goes on
    if any(_stamp(file.stat()) != _stamp(status) for file, status in before.items()):
        raise ObsError(f"{path} changed while it was uploaded; call again when nothing writes to it")
    with tempfile.TemporaryDirectory() as scratch:
        mark = Path(scratch, _MARK)
        mark.touch()
        session.obs.upload_file(mark, folder.url)


def _files(source: Path) -> Iterator[Path]:
    """The files that are uploaded: all but what is left out always, and what the ignore file names."""
    if source.is_file():
        yield source
        return
    ignored = _ignored(source)
    for folder, names, files in os.walk(source):
        inside = Path(folder).relative_to(source).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        names[:] = [name for name in sorted(names)
                    if name not in _LEFT_OUT and not (ignored and ignored.match_file(f"{prefix}{name}/"))]  # fmt: skip
        for name in sorted(files):
            if name in _LEFT_OUT or (ignored and ignored.match_file(prefix + name)):
                continue
            if Path(folder, name).is_file():  # no socket, no link that leads nowhere
                yield Path(folder, name)


def _ignored(source: Path) -> GitIgnoreSpec | None:
    try:
        lines = (source / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _check_size(source: Path, sizes: dict[Path, int]) -> None:
    size = sum(sizes.values())
    if size <= CODE_LIMIT or not any(file.suffix == ".py" for file in sizes):
        return
    largest = nlargest(5, sizes, key=lambda file: sizes[file])
    named = "".join(f"\n  - {file.relative_to(source.parent)}: {sizes[file] / 1e6:.1f} MB" for file in largest)
    raise ObsError(
        f"{source} is not uploaded: it has {size / 1e6:.1f} MB in {len(sizes)} files, and code may have "
        f"{CODE_LIMIT / 1e6:.0f} MB. Its largest files:{named}\n"
        f"Name what the job does not need in {source / IGNORE_FILE}, a pattern on each line as in .gitignore; "
        "upload data with session.obs.upload_dir(…) and give its path obs://… to the job.",
        "ModelArts.0104",
    )


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(source):
        name = file.name if source.is_file() else file.relative_to(source).as_posix()
        digest.update(f"{name}\0{file.stat().st_size}\0".encode(errors="surrogateescape"))
        digest.update(_sha256(file))
    return digest.hexdigest()[:16]


def _sha256(file: Path) -> bytes:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
