"""What keeps this machine from isolating jobs, and how to allow it: from the settings of the kernel."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import attrs

from modelarts.local.places import isolation

_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
_IN_CONTAINER = "in a container: start it with --privileged, or --cap-add SYS_ADMIN --security-opt seccomp=unconfined"
_MASKED = "in a container: start it with --security-opt systempaths=unconfined (docker) or unmask=ALL (podman)"
_OTHERWISE = "it needs a kernel with user namespaces (CONFIG_USER_NS), and no security module that forbids them"
# Switches of the kernel: the value that forbids namespaces, and the command that allows them.
_SWITCHES = {
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl -w user.max_user_namespaces=15000"),
    "/proc/sys/user/max_mnt_namespaces": ("0", "sudo sysctl -w user.max_mnt_namespaces=15000"),
    "/proc/sys/user/max_pid_namespaces": ("0", "sudo sysctl -w user.max_pid_namespaces=15000"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns":
        ("1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
}  # fmt: skip


@attrs.frozen
class Check:
    """One thing that jobs need."""

    name: str
    problem: str  # empty if it works
    advice: str  # what may break without it, and how to allow it


def checks() -> list[Check]:
    """Try what this machine allows, as this user. Raises `OSError` if there is no temporary folder."""
    folder = tempfile.mkdtemp()
    try:
        tree = isolation.problem_of(isolation.TREE_ONLY, os.path.join(folder, "tree"))
        full = isolation.problem_of(isolation.FULL, os.path.join(folder, "full"))
    finally:
        shutil.rmtree(folder)
    proc = full if "/proc" in full else ""
    return [
        _check("mount namespace", tree, "jobs see the machine's own /cache, /tmp and /home/work, and share them"),
        _check("PID namespace", "" if proc else full, "the service itself has to end what a job leaves running"),
        _check("private /proc", full, "jobs see all processes of the machine, and have no PID namespace"),
    ]


def _check(name: str, problem: str, effect: str) -> Check:
    return Check(name, problem, f"{effect}; {_remedy(problem)}" if problem else "")


def _remedy(problem: str) -> str:
    if "/proc" in problem:
        return _MASKED
    commands = [command for path, (value, command) in _SWITCHES.items() if _content(path) == value]
    if commands:
        return f"to allow it: {' and '.join(f'`{command}`' for command in commands)}"
    if any(os.path.exists(path) for path in _CONTAINERS):
        return _IN_CONTAINER
    return _OTHERWISE


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
