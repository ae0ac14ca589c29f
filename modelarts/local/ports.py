"""Ports of this machine.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LOWEST, _HIGHEST = 20000, 65535
_FEWEST = 2000  # ports that the rest of the system leaves to servers
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CONNECTIONS, _LISTENING = Path("/proc/net/tcp"), "0A"
_EVERYWHERE = ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0"))


class Reserved(NamedTuple):
    """A port, and what keeps others from reserving it until this process ends."""

    port: int
    holder: socket.socket


def free_ports(count: int) -> tuple[int, ...]:
    """Different ports on which nobody listens now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)


def reserve(count: int) -> list[Reserved]:
    """Different ports that nobody uses, and that no other call on this machine returns while this process lives.

    They are not among those that the system gives to outgoing connections: one of these could take a port before the
    server comes, and a client that tries again and again to connect to such a port may connect to itself.

    Raises:
        OSError: there are not so many.
    """
    found: list[Reserved] = []
    for port in _candidates():
        if len(found) == count:
            break
        holder = _hold(port)
        if holder is not None:
            found.append(Reserved(port, holder))
    if len(found) < count:
        first, last = _servers()
        raise OSError(
            errno.EADDRINUSE,
            f"{count} free ports are needed, and from {first} to {last} only {len(found)} are left: end programs that "
            "listen there",
        )
    return found


def is_open(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def connected() -> set[int]:
    """The ports of servers on this machine that have a connection, or have closed one within the last minute."""
    found = set()
    with contextlib.suppress(OSError):
        for line in _CONNECTIONS.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] != _LISTENING:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return found


def _candidates() -> Iterator[int]:
    """Ports in the order in which they are tried, from one that differs from call to call."""
    first, last = _servers()
    size = last - first + 1
    start = (os.getpid() * 7919 + time.monotonic_ns() // 1000) % size
    return (first + (start + step) % size for step in range(size))


def _servers() -> tuple[int, int]:
    """The first and last port of the larger range that is left to servers."""
    try:
        low, high = map(int, _RANGE.read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        low, high = 32768, 60999
    below, above = (_LOWEST, low - 1), (high + 1, _HIGHEST)
    first, last = max(below, above, key=lambda ends: ends[1] - ends[0])
    return (first, last) if last - first >= _FEWEST else (_LOWEST, _HIGHEST)


def _hold(port: int) -> socket.socket | None:
    """Reserve a port by a name that the kernel gives to one process, and forgets with it; `None` if it is used."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(f"\0modelarts-port-{port}")  # in the network namespace, as ports are
        if _can_bind(port):
            return holder
    except OSError:
        pass
    holder.close()
    return None


def _can_bind(port: int) -> bool:
    """Whether a port can be bound at all addresses."""
    for family, address in _EVERYWHERE:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as server:
                server.bind((address, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False  # others: there is no such family here
    return True
