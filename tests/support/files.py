"""Writing and reading files in tests."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def put(path: Path, content: str | bytes = "text") -> Path:
    """Write a file, and create its parent folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_json(path: Path, **members: Any) -> None:
    """Write a JSON object."""
    path.write_text(json.dumps(members), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with their contents."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tree(folder: Path) -> dict[str, str]:
    """All files below a folder, with their contents as text."""
    return {name: content.decode() for name, content in contents(folder).items()}


@contextmanager
def common_user() -> Iterator[Path]:
    """A folder of a user who is not root; the block runs as that user."""
    with tempfile.TemporaryDirectory() as name:
        user, place = os.geteuid(), Path(name)
        if user == 0:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield place
        finally:
            os.seteuid(user)
            for path in place.rglob("*"):
                path.chmod(0o700)
