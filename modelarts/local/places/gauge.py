"""Samples what the workers of a version use, while they run.

Standard library only, until the first sample: versions that end at once do not wait for the import of psutil.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from modelarts.local import files
from modelarts.local.places.isolation import Node

_FIRST_SAMPLE = 0.2  # seconds after the start


class Gauge:
    """A thread that writes the samples.

    Args:
        spec: of the version.
        nodes: one for each worker; they may be opened later, before the start.
        ended: set when there is nothing more to measure.
    """

    def __init__(self, spec: dict[str, Any], nodes: Sequence[Node], ended: threading.Event) -> None:
        self._spec = spec
        self._nodes = nodes
        self._ended = ended
        self._thread = threading.Thread(target=self._measure, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait until the thread has ended, if it was started."""
        if self._thread.is_alive():
            self._thread.join()

    def _measure(self) -> None:
        began = time.monotonic()
        if self._ended.wait(_FIRST_SAMPLE):
            return
        sys.path.extend(self._spec["packages"])
        from modelarts.local.places import usage

        measured = usage.Usage([node.process.pid for node in self._nodes], began)
        while not self._ended.is_set():
            with contextlib.suppress(OSError):  # a full disk does not end sampling: there may be space later
                files.write(self._spec["usage"], json.dumps(measured.take()).encode())
            self._ended.wait(measured.interval)
