"""Programs of packages, such as `torchrun`, for whatever `python` comes first in PATH.

They name the interpreter that they were installed with, which knows nothing of a job's own packages. Standard library
only: the supervisor uses this module.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from typing import Optional

from modelarts.local.interpreters import Interpreter

_HEAD = 1024  # bytes in which a script names its interpreter
_LARGEST = 1 << 20
# `#!/path/python -E`, or where the path is long or has blanks: `#!/bin/sh` and then `'''exec' /path/python "$0" "$@"`
_LINE = rb"#!/bin/sh\n'''exec'[^\n]*|#![^\n]*"
_ANY_PYTHON = b"#!/usr/bin/env python"


def for_any_python(script: bytes, folders: list[str]) -> Optional[bytes]:
    """A script that an interpreter in one of the folders would run, so changed that the first in PATH runs it."""
    head = script[:_HEAD]
    line = re.match(_LINE, head)
    if line is None or not any(f"{folder}/python".encode("utf-8", "surrogateescape") in line[0] for folder in folders):
        return None
    if line[0].startswith(b"#!/bin/sh"):
        return b"#!/bin/sh\n'''exec' python \"$0\" \"$@\"" + script[line.end() :]
    return _ANY_PYTHON + script[line.end() :]


def change_in_place(folder: str) -> None:
    """Change the scripts of an environment's folder of programs."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        changed = _changed(path, [folder])
        if changed is not None:
            with open(path, "wb") as file:
                file.write(changed)


def of_interpreter(python: Interpreter, cache: str) -> str:
    """A folder with changed copies of the programs that packages of an interpreter have; made once.

    Raises:
        OSError: it cannot be created.
    """
    folders = [folder for folder in _folders(python) if os.access(folder, os.R_OK | os.X_OK)]
    stamps = [(folder, os.stat(folder).st_mtime_ns) for folder in folders]
    target = os.path.join(cache, f"{zlib.crc32(json.dumps(stamps).encode()):08x}")
    if os.path.isdir(target):
        return target
    part = f"{target}.{os.getpid()}.part"
    os.makedirs(part)
    for folder in reversed(folders):
        for name in os.listdir(folder):
            changed = _changed(os.path.join(folder, name), folders)
            if changed is not None and not name.startswith(("python", "pip")):
                path = os.path.join(part, name)
                with open(path, "wb") as file:
                    file.write(changed)
                os.chmod(path, 0o755)
    try:
        os.rename(part, target)
    except OSError:  # another job was faster
        shutil.rmtree(part)
    return target


def _folders(python: Interpreter) -> list[str]:
    """Where packages of an interpreter have their programs, by where they are themselves."""
    prefixes = [site.rpartition("/lib/python")[0] for site in python.sites]
    return list(dict.fromkeys([python.scripts, *(os.path.join(prefix, "bin") for prefix in prefixes if prefix)]))


def _changed(path: str, folders: list[str]) -> Optional[bytes]:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return None
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            return for_any_python(head + file.read(), folders) if head.startswith(b"#!") else None
    except OSError:
        return None
