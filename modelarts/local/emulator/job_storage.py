"""The address at which jobs reach the buckets with clients of OBS and S3, over HTTP and HTTPS on the same port.

A job has the address in its environment, so it stays the same after a restart of the service if that is possible. It is
not served by the server of the v1 API, which has no TLS. A server is made when the first client connects.
"""

from __future__ import annotations

import select
import socket
import threading
from typing import Callable

from modelarts.local.api.app import Application
from modelarts.local.emulator import kept_port
from modelarts.local.paths import LocalHome

_POLL_INTERVAL = 3600.0  # seconds; the server ends with the process


def listen(home: LocalHome) -> socket.socket:
    """A socket to which the jobs of a home can connect. Raises `OSError`."""
    return kept_port.listen(home.storage)


def address_of(listener: socket.socket) -> str:
    """Host and port."""
    host, port = listener.getsockname()
    return f"{host}:{port}"


def serve(listener: socket.socket, home: LocalHome, app: Callable[[], Application]) -> None:
    """Serve buckets in threads of this process; `app` makes the application when it is needed."""
    threading.Thread(target=_serve, args=(listener, home, app), name="storage", daemon=True).start()


def _serve(listener: socket.socket, home: LocalHome, app: Callable[[], Application]) -> None:
    """Wait for the first client, and serve it and all others until the process ends."""
    select.select([listener], [], [])
    from modelarts.local.emulator.bucket_server import BucketServer

    BucketServer(listener, app(), home.iam).serve_forever(_POLL_INTERVAL)
