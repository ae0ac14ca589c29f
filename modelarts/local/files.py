"""Files that are written under another name and then renamed: readers see the complete old or new content.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import os
import threading
from typing import Union


def write(path: Union[str, os.PathLike[str]], content: bytes) -> None:
    """Replace the content of a file, or create it; only this user may read it. Raises `OSError`."""
    temporary = f"{os.fspath(path)}.{os.getpid()}-{threading.get_ident()}.part"
    try:
        with open(temporary, "wb", opener=_private) as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
