"""The boot file of a worker: checked before it starts, explained when it failed.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable

from modelarts.local.places.start_failure import StartFailure

_MISSING = 2  # the return code of an interpreter that does not find its script
_MARK = "\ufeff".encode()
_HEAD = 4096  # bytes that are read to recognize what a file is
_NOT_SCRIPTS = {
    b"<!doctype html": "an HTML page: download the file itself, not the page that shows it",
    b"<html": "an HTML page: download the file itself, not the page that shows it",
    b"version https://git-lfs": "a pointer of Git LFS: `git lfs pull` downloads the file itself",
}


def prepare(worker: dict[str, Any], note: Callable[[str], None]) -> None:
    """Check the boot file in the worker's copy of the code, and make a shell script one that a shell understands.

    Args:
        worker: of the spec.
        note: writes a line to its log.

    Raises:
        StartFailure: why the boot file cannot be started.
    """
    path = _path(worker)
    if not path:
        return
    name = os.path.basename(path)
    if not os.path.exists(path):
        raise StartFailure(f"the boot file {name} does not exist in the code directory", _MISSING)
    if _is_notebook(path):
        rule = f"`jupyter nbconvert --to script {name}` makes a script of it"
        raise StartFailure(f"the boot file {name} is a notebook: {rule}", _MISSING)
    if path.lower().endswith(".sh") and _convert(path):
        note(f"{name} has Windows line ends or a byte order mark, which no shell understands: removed here")


def _convert(path: str) -> bool:
    """Replace Windows line ends and a byte order mark. Returns whether there were any."""
    with open(path, "rb") as file:
        content = file.read()
    converted = content.replace(b"\r\n", b"\n")
    converted = converted[len(_MARK) :] if converted.startswith(_MARK) else converted
    if converted == content:
        return False
    with open(path, "wb") as file:
        file.write(converted)
    return True


def hint(worker: dict[str, Any]) -> str:
    """What a boot file that failed really is if it is no script; else an empty text."""
    try:
        head = _head(_path(worker)).lstrip().lower()
    except OSError:
        return ""
    found = next((kind for start, kind in _NOT_SCRIPTS.items() if head.startswith(start)), "")
    return f"{os.path.basename(_path(worker))} is {found}" if found else ""


def _path(worker: dict[str, Any]) -> str:
    """The boot file in the worker's copy of the code; an empty text if it starts something else."""
    boot_file = worker.get("boot_file", "")
    return os.path.join(worker["directory"], boot_file) if boot_file else ""


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    return head[len(_MARK) :] if head.startswith(_MARK) else head


def _is_notebook(path: str) -> bool:
    """Whether a script is a notebook under a wrong name; as a Python script some would do nothing, successfully."""
    if not os.path.isfile(path) or not _head(path).lstrip().startswith(b"{"):
        return False
    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "nbformat" in content and "cells" in content
