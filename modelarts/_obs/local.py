"""`session.obs` over buckets that are directories on this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from modelarts._obs.buckets import Buckets, Item, LocalPath, explained, files_below, no_bucket, not_empty
from modelarts._obs.paths import PART, ObsPath
from modelarts._obs.transfer import Transfer, Unit

_CHUNK = 1 << 20


class LocalBuckets(Buckets):
    """Buckets that are folders below `root`."""

    threads = 2  # a disk is soon busy

    def __init__(self, root: LocalPath) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"LocalBuckets({str(self.root)!r})"

    def close(self) -> None:
        pass

    def _make_bucket(self, name: str) -> None:
        with explained(f"create bucket {name!r}"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def _remove_bucket(self, name: str) -> None:
        place = self._bucket(name)
        if next(files_below(place), None) is not None:
            raise not_empty(name)
        with explained(f"delete bucket {name!r}"):
            shutil.rmtree(place)

    def _find(self, path: ObsPath) -> Item | None:
        place = path.under(self.root)
        return _item(path, place) if place.is_file() else None

    def _is_folder(self, path: ObsPath) -> bool:
        return path.under(self.root).is_dir()

    def _walk(self, folder: ObsPath, recursive: bool = True) -> Iterator[Item]:
        place = folder.under(self.root)
        if not place.is_dir():
            return
        if recursive:
            for file in files_below(place):
                yield _item(folder / file.relative_to(place).as_posix(), file)
            return
        with explained(f"list {folder.url}"):
            for entry in sorted(place.iterdir()):
                if entry.is_dir():
                    yield Item((folder / entry.name).as_dir.url)
                elif entry.is_file() and not entry.name.startswith(PART):
                    yield _item(folder / entry.name, entry)

    def _same(self, file: Path, item: Item) -> bool:
        with file.open("rb") as one, item.path.under(self.root).open("rb") as other:
            while chunk := one.read(_CHUNK):
                if chunk != other.read(_CHUNK):
                    return False
            return not other.read(1)

    def _sending(self, source: Path, target: ObsPath, transfer: Transfer) -> Iterator[Unit]:
        self._bucket(target.bucket)
        yield partial(_copy, source, target.under(self.root), f"upload to {target.url}", transfer)

    def _fetching(self, item: Item, target: Path, transfer: Transfer) -> Iterator[Unit]:
        yield partial(_copy, item.path.under(self.root), target, f"download {item.url}", transfer)

    def _remove(self, path: ObsPath) -> None:
        with explained(f"delete {path.url}"):
            path.under(self.root).unlink()

    def _remove_folder(self, folder: ObsPath) -> None:
        place = folder.under(self.root)
        with explained(f"delete {folder.url}"):
            shutil.rmtree(place)
            if not folder.key:
                place.mkdir()

    def _make_folder(self, folder: ObsPath) -> None:
        self._bucket(folder.bucket)
        with explained(f"create {folder.url}"):
            folder.under(self.root).mkdir(parents=True, exist_ok=True)

    def _bucket(self, name: str) -> Path:
        place = self.root / name
        if not place.is_dir():
            raise no_bucket(name)
        return place


def _item(path: ObsPath, file: Path) -> Item:
    with explained(f"read {path.url}"):
        status = file.stat()
    return Item(path.url, status.st_size, datetime.fromtimestamp(int(status.st_mtime), timezone.utc))


def _copy(source: Path, target: Path, doing: str, transfer: Transfer) -> None:
    """Copy beside the target, then rename: no reader ever sees half a file under its final name."""
    transfer.check()
    with explained(doing):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=PART, dir=target.parent)
        os.close(handle)
        try:
            shutil.copyfile(source, temporary)
            size = Path(temporary).stat().st_size
            os.chmod(temporary, 0o644)  # noqa: PTH101
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink()
            raise
    transfer.moved(size)
    transfer.meter.finished()
