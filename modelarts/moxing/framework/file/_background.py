"""Copies in the background."""

import logging
import os
import threading
import time

from ._transfer import copy_parallel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def background_sync_copy(src_url: "Any", dst_url: "Any", seconds: float = 60) -> None:
    """Copy a folder again and again by a thread that ends with the program; a copy that fails is skipped.

    Args:
        seconds: the pause between two copies.
    """
    thread = threading.Thread(target=_copy_forever, args=(src_url, dst_url, seconds), daemon=True)
    thread.start()


def _copy_forever(source: "Any", target: "Any", seconds: float) -> None:
    while True:
        try:
            if os.path.exists(source):
                copy_parallel(source, target)
        except Exception as error:  # noqa: BLE001  the script goes on, whatever happens
            logging.getLogger().warning("background_sync_copy: %s; the next copy is made in %s s", error, seconds)
        time.sleep(seconds)
