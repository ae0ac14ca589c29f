"""Namespaces and mounts of Linux, called by `ctypes`. Each function raises `OSError`.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import ctypes
import errno
import os

MOUNTS, USERS, PIDS = 0x00020000, 0x10000000, 0x20000000  # CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, SLAVE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 19
_DETACH = 2
_END_WITH_PARENT, _SUBREAPER = 1, 36  # options of prctl

# What "No space left on device" means for namespaces: disks have nothing to do with it.
_NO_MORE = "the limit of namespaces is reached"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def unshare(namespaces: int) -> None:
    """Give this process, and its children for PIDs, new namespaces; users without the right need one of their own.

    In it they are the same user as outside.
    """
    try:
        _check(_libc.unshare(namespaces), "unshare")
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        _check(_libc.unshare(namespaces | USERS), "unshare")
        maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
        for name, content in maps.items():
            with open(f"/proc/self/{name}", "wb", buffering=0) as file:
                file.write(content.encode())


def mount(source: str | None, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    _check(_libc.mount(_path(source), _path(target), _path(kind), flags, _path(options)), f"mount {target}")


def unmount(target: str) -> None:
    """Detach a mount and all below it."""
    _check(_libc.umount2(_path(target), _DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root, and attach the root of before at a folder below it."""
    _check(_libc.pivot_root(_path(new), _path(old)), "pivot_root")


def become_subreaper() -> None:
    """From now on, descendants whose parent has ended become children of this process."""
    _check(_libc.prctl(_SUBREAPER, 1, 0, 0, 0), "prctl")


def end_with_parent(number: int) -> None:
    """Let this process get a signal when its parent ends."""
    _check(_libc.prctl(_END_WITH_PARENT, number, 0, 0, 0), "prctl")


def _path(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _check(result: int, call: str) -> None:
    if result == -1:
        number = ctypes.get_errno()
        reason = _NO_MORE if call == "unshare" and number == errno.ENOSPC else os.strerror(number)
        raise OSError(number, reason, call)
