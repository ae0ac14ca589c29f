"""Files of code and data."""

from __future__ import annotations

from pathlib import Path

from tests.support.files import put


def fill(folder: Path, *names: str) -> None:
    for name in names:
        put(folder / name, name)


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
