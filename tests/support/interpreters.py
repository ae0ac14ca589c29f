"""Other Python versions of this machine: the interpreter of a job may be older than the one of the SDK."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

# Before a fixture changes HOME.
_PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def oldest_interpreter() -> str:
    """The oldest interpreter from Python 3.6 on; the one of the tests if there is no other."""
    found = {minor: path for minor in range(6, 15) if (path := shutil.which(f"python3.{minor}"))}
    for path in _PYENV.glob("3.*/bin/python") if _PYENV.is_dir() else ():
        minor = int(re.split(r"[.-]", path.parents[1].name)[1].rstrip("dev"))
        if minor >= 6:
            found[minor] = str(path)
    return found[min(found)] if found else sys.executable


def with_path(folder: Path, place: Path) -> str:
    """The value of `local_python` by which jobs of PyTorch find the modules of a folder before installed ones.

    Args:
        place: where a script is written that starts the interpreter so.
    """
    script = place / "python"
    path = f"${{PYTHONPATH:+$PYTHONPATH:}}{folder}"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return json.dumps({"PyTorch": str(script)})
