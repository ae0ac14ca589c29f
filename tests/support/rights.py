"""Rights that a process gives up for itself and all that it starts: this machine is then like one that allows less."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from modelarts.local.places import namespaces

GIVEN_UP = "RIGHTS_GIVEN_UP"  # variable of a service in tests: one of the names below
ALL = ("nothing", "administration", "a private /proc", "namespaces")

_DROP, _SYS_ADMIN = 24, 21  # PR_CAPBSET_DROP, CAP_SYS_ADMIN


def give_up(what: str) -> None:
    """Give up rights, of root as well as of other users.

    Args:
        what: `nothing`; `administration`: namespaces are only possible in a user namespace, as for users who are not
            root; `a private /proc`: it has masks, as in a container; `namespaces`: none can be created;
            `mount namespaces`: their limit is 0.
    """
    if what in ("", "nothing"):
        return
    if what == "a private /proc":
        _unshare(namespaces.USERS | namespaces.MOUNTS)
        namespaces.mount(None, "/", namespaces.RECURSIVE | namespaces.SLAVE)
        namespaces.mount("/dev/null", "/proc/version", namespaces.BIND)
    elif what == "mount namespaces":
        _unshare(namespaces.USERS)
        Path("/proc/sys/user/max_mnt_namespaces").write_text("0", encoding="ascii")
    elif what == "namespaces":
        _unshare(namespaces.USERS)
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    if what != "mount namespaces" and (what != "administration" or os.geteuid() == 0):
        ctypes.CDLL(None).prctl(_DROP, _SYS_ADMIN, 0, 0, 0)  # from the next `exec` on


def _unshare(kinds: int) -> None:
    user, group = os.geteuid(), os.getegid()
    namespaces._check(namespaces._libc.unshare(kinds), "unshare")
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(content, encoding="ascii")
