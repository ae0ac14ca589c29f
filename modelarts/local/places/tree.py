"""The root of a node: the machine's own, with folders of the job in place of some.

A folder of the job becomes the root. The machine's top-level folders are bound into it, so all of them stay visible;
the job's own folders, such as `cache` and `tmp`, lie in it as plain folders: on disk, and readable from outside.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from modelarts.local.layout import is_below
from modelarts.local.places import namespaces as ns

_OLD = "/.machine"  # where the machine's root is while the new one is built


class Tree(NamedTuple):
    """What a node sees."""

    root: str  # the folder that becomes `/`
    own: tuple[str, ...]  # paths that are folders of the job, such as `/tmp`
    covered: str  # the home of the service, which is empty for the job
    shown: tuple[str, ...]  # paths that must be there, even if the machine has them below one of the others
    writable: tuple[str, ...] = ()  # those of them that the job may change: `rm -rf /tmp/*` must not reach the others


class Mount(NamedTuple):
    """What is bound to where; both are paths of the machine."""

    target: str
    source: str
    is_read_only: bool = False


def create(tree: Tree) -> None:
    """Create the job's own folders. Raises `OSError`."""
    for path in tree.own:
        os.makedirs(tree.root + path, exist_ok=True)
    if "/tmp" in tree.own:
        os.chmod(f"{tree.root}/tmp", 0o1777)


def enter(tree: Tree, with_processes: bool) -> list[str]:
    """Make the tree the root of this process, which has a mount namespace of its own. Raises `OSError`.

    Args:
        tree: the tree.
        with_processes: whether this process is in a new PID namespace, so that `/proc` must be a new one.

    Returns:
        What is on the machine and could not be bound into the tree, each with the reason.
    """
    ns.mount(None, "/", ns.RECURSIVE | ns.SLAVE)  # before anything else: nothing that follows reaches the machine
    machine = list(_machine(tree))
    shown = mounts(tree, tree.shown)
    inside = [one for one in shown if is_below(one.target, tree.covered)]
    is_covered = _is_covered(tree, shown)
    ns.mount(tree.root, tree.root, ns.BIND | ns.RECURSIVE)
    os.makedirs(tree.root + _OLD, exist_ok=True)
    ns.pivot_root(tree.root, tree.root + _OLD)
    os.chdir("/")
    lacking = _bind(machine)
    _mount_proc(with_processes)
    lacking += _bind(one for one in shown if one not in inside)
    if is_covered:
        ns.mount("none", tree.covered, ns.NO_SUID | ns.NO_DEVICES, "tmpfs", "size=1m,mode=755")
    return lacking + _bind(inside)


def _bind(several: Iterable[Mount]) -> list[str]:
    """Bind what can be bound; the others, with the reasons. One of them is no reason to run without a tree."""
    lacking = []
    for one in several:
        try:
            bind(one)
        except OSError as error:
            lacking.append(f"{one.target}: {error.strerror}")
    return lacking


def complete(further: list[Mount], covered: str) -> None:
    """Bind what else must be shown, then let go of the machine's root. Raises `OSError`."""
    for one in further:
        bind(one)
    if os.path.ismount(covered):
        ns.mount(None, covered, ns.REMOUNT | ns.READ_ONLY | ns.NO_SUID | ns.NO_DEVICES)
    ns.unmount(_OLD)
    os.rmdir(_OLD)


def _machine(tree: Tree, folder: str = "/") -> Iterator[Mount]:
    """The entries of `/`, and of folders in it that have one of the job's own."""
    real = os.path.realpath(folder)
    try:
        names = sorted(os.listdir(real))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if path == "/proc" or path in tree.own:
            continue
        if any(is_below(one, path) for one in tree.own):
            yield from _machine(tree, path)
        else:
            yield Mount(path, os.path.join(real, name))


def mounts(tree: Tree, paths: Iterable[str]) -> list[Mount]:
    """The binds that show paths which the tree hides; called where the machine is seen as it is."""
    found: list[Mount] = []
    wanted = {os.path.abspath(path) for path in paths}
    job = os.path.dirname(os.path.realpath(tree.root))
    writable = [job, *map(os.path.realpath, tree.writable), *map(os.path.abspath, tree.writable)]
    for path in sorted(wanted | {os.path.realpath(path) for path in wanted}):
        source = os.path.realpath(path)
        if not _is_hidden(path, tree) or not os.path.exists(source):
            continue
        if f"{job}/".startswith(f"{source}/") and not is_below(tree.covered, source):
            continue  # a folder of the service, which happens to be on the path of an interpreter
        is_read_only = not any(path == folder or is_below(path, folder) for folder in writable)
        if any(_shows(one.target, path, tree.covered) and is_read_only >= one.is_read_only for one in found):
            continue
        found.append(Mount(path, source, is_read_only))
    return found


def _is_hidden(path: str, tree: Tree) -> bool:
    return any(is_below(path, one) for one in (*tree.own, tree.covered))


def _shows(folder: str, path: str, covered: str) -> bool:
    """Whether a bound folder shows a path in it; the covered folder in between would hide it."""
    return is_below(path, folder) and not (is_below(path, covered) and is_below(covered, folder))


def _is_covered(tree: Tree, shown: list[Mount]) -> bool:
    """Whether the tree would show the content of the covered folder."""
    is_hidden = any(is_below(tree.covered, one) for one in tree.own)
    is_shown = not is_hidden or any(is_below(tree.covered, one.target) for one in shown)
    return is_shown and os.path.isdir(tree.covered)


def bind(one: Mount) -> None:
    """Bind a folder or file of the machine, or make the same link."""
    source = _OLD + one.source
    if os.path.islink(source):
        if not os.path.islink(one.target):
            os.symlink(os.readlink(source), one.target)
        return
    if os.path.isdir(source):
        os.makedirs(one.target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(one.target), exist_ok=True)
        if not os.path.lexists(one.target):  # it may be there in a folder that was bound before, as a program that runs
            open(one.target, "ab").close()
    ns.mount(source, one.target, ns.BIND | ns.RECURSIVE)
    if one.is_read_only:
        kept = os.statvfs(one.target).f_flag & (ns.NO_SUID | ns.NO_DEVICES | ns.NO_EXEC)  # a user cannot clear them
        with contextlib.suppress(OSError):
            ns.mount(None, one.target, ns.REMOUNT | ns.BIND | ns.READ_ONLY | kept)


def _mount_proc(is_new: bool) -> None:
    os.makedirs("/proc", exist_ok=True)
    if is_new:
        ns.mount("proc", "/proc", ns.NO_SUID | ns.NO_DEVICES | ns.NO_EXEC, "proc")
    else:
        ns.mount(f"{_OLD}/proc", "/proc", ns.BIND | ns.RECURSIVE)
