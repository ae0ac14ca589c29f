"""A port that stays the same when the service starts again, if nobody else has taken it meanwhile.

Addresses of the service are in environments of jobs and shells, which do not hear of a restart.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from modelarts.local import ports
from modelarts.local.paths import read_json, write_private

HOST = "127.0.0.1"
BACKLOG = 1024  # connections that wait until they are accepted; clients try others again after a second only


def listen(file: Path) -> socket.socket:
    """A socket that listens on the port of the last start, else on another one. Raises `OSError`."""
    listener = _listener(_stored(file))
    write_private(file, {"port": listener.getsockname()[1]})
    return listener


def choose(file: Path) -> int:
    """The port that `listen` would get, for a server that creates its socket itself. Raises `OSError`."""
    with listen(file) as listener:
        return int(listener.getsockname()[1])


def _stored(file: Path) -> int:
    """The port of the last start; 0 if it is not known."""
    stored = read_json(file)
    port = stored.get("port") if isinstance(stored, dict) else None
    return port if isinstance(port, int) and 0 < port < 65536 else 0


def _listener(port: int) -> socket.socket:
    if port:
        with contextlib.suppress(OSError):
            return socket.create_server((HOST, port), backlog=BACKLOG)
    with contextlib.suppress(OSError):
        (reserved,) = ports.reserve(1)  # not one that a connection could take before the next start
        with reserved.holder:
            return socket.create_server((HOST, reserved.port), backlog=BACKLOG)
    return socket.create_server((HOST, 0), backlog=BACKLOG)
