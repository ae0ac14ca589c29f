"""Hides modules and functions that Windows lacks, then runs a file with arguments.

Open files cannot be renamed, replaced or removed, as on Windows. Paths stay those of this system.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

MODULES = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "crypt", "spwd")
FUNCTIONS = (
    "pread", "pwrite", "preadv", "pwritev", "fchmod", "fchown", "chown", "lchown", "chroot", "fork", "forkpty",
    "getuid", "geteuid", "getgid", "getegid", "getgroups", "getpgid", "setsid", "killpg", "nice", "mkfifo", "mknod",
    "uname", "sysconf", "statvfs", "fstatvfs", "lockf", "posix_fallocate", "posix_fadvise", "sendfile",
    "register_at_fork", "sched_getaffinity", "openpty", "getloadavg", "getxattr", "setxattr", "copy_file_range",
    "fchdir", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "O_SYNC", "O_NOCTTY",
)  # fmt: skip


def hide() -> None:
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in FUNCTIONS:
        if hasattr(os, name):
            delattr(os, name)
    for name in ("replace", "rename", "unlink", "remove"):
        setattr(os, name, _refusing_open_files(getattr(os, name)))


def _refusing_open_files(function: Any) -> Any:
    def checked(*paths: Any, **options: Any) -> Any:
        if not options.get("dir_fd"):
            opened = set(map(_target, os.listdir("/proc/self/fd")))  # noqa: PTH208  pathlib is not imported yet
            for path in map(os.fsdecode, paths):
                if os.path.realpath(path) in opened:
                    raise PermissionError(13, "The process cannot access the file because it is open", path)
        return function(*paths, **options)

    return checked


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    except OSError:
        return ""


if __name__ == "__main__":
    hide()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
