"""Files without a name until they are complete; nothing of them is left however a process ends. Linux only."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Union

_O_TMPFILE = getattr(os, "O_TMPFILE", None)


def open_unnamed(folder: Path) -> Union[int, None]:
    """A descriptor of a new file in the file system of a folder; `None` where it has no such files.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if _O_TMPFILE is None:
        return None
    try:
        return os.open(folder, _O_TMPFILE | os.O_WRONLY, 0o666)
    except FileNotFoundError:
        raise
    except OSError:  # also what forbids to create files: whoever creates one with a name reports that
        return None


def give_name(handle: int, path: Path) -> bool:
    """Make an unnamed file appear under its name. Returns whether it did; never replaces a file."""
    with suppress(OSError):  # it exists, or there is no /proc
        # A descriptor of a folder, which an absolute path does not need, makes Python follow the link.
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle, follow_symlinks=True)
        return True
    return False
