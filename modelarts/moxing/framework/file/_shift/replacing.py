"""Puts functions in the place of others, and back."""

import builtins
import functools
import glob
import io
import os
import pathlib
import shutil
import sys
import types

from . import libraries, paths
from .functions import functions
from .imports import ImportHook
from .trees import GLOB, SHUTIL, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OS = ("stat", "lstat", "access", "remove", "unlink", "rename", "replace", "chmod", "utime", "listdir", "scandir",
       "walk", "mkdir", "makedirs", "rmdir")  # fmt: skip
_PATH = ("exists", "isfile", "isdir", "getsize", "abspath", "realpath")
_ABILITIES = ("supports_dir_fd", "supports_fd", "supports_follow_symlinks", "supports_effective_ids")
_HOLDERS = ("bz2", "glob", "pathlib", "pathlib._local", "tarfile", "tokenize")  # modules that keep some of them


class Replacements:
    """All that `shift` replaces."""

    def __init__(self) -> None:
        self._made = []  # type: list[tuple[Any, str, Any, Any]]
        actions = {name: functools.partial(action, put=self._put) for name, action in libraries.ACTIONS.items()}
        self._hook = ImportHook(actions)

    def begin(self) -> None:
        """Replace them."""
        of_python = {name: getattr(os, name) for name in _OS}
        of_python.update((name, getattr(os.path, name)) for name in _PATH)
        functions.begin(dict(of_python, open=builtins.open))
        trees.begin()
        self._put_in_holders()
        opens = functions.open  # each access makes another method
        for owner in (builtins, io):
            self._put(owner, "open", opens)
        for owner, names, source in ((os, _OS, functions), (os.path, _PATH, functions), (shutil, SHUTIL, trees),
                                     (glob, GLOB, trees)):  # fmt: skip
            for name in names:
                self._put(owner, name, getattr(source, name))
        for name, method in paths.methods().items():
            self._put(pathlib.Path, name, method)
        self._keep_abilities()
        self._hook.begin()

    def end(self) -> None:
        """Put those of Python back, except where somebody else has replaced ours."""
        self._hook.end()
        functions.end()
        for owner, name, original, ours in reversed(self._made):
            if vars(owner).get(name) is ours:
                setattr(owner, name, original)

    def _put(self, owner: "Any", name: str, ours: "Any") -> None:
        """Replace an attribute, also in the modules of the same package that have imported it."""
        original = vars(owner)[name]
        self._set(owner, name, original, ours)
        package = getattr(owner, "__name__", "").partition(".")[0]
        if package in ("numpy", "pandas", "torch"):
            for module in [one for key, one in list(sys.modules.items()) if f"{key}.".startswith(f"{package}.")]:
                if getattr(module, "__dict__", {}).get(name) is original:
                    self._set(module, name, original, ours)

    def _set(self, owner: "Any", name: str, original: "Any", ours: "Any") -> None:
        setattr(owner, name, ours)
        self._made.append((owner, name, original, ours))

    def _put_in_holders(self) -> None:
        """Replace what modules of Python, and classes in them, took when they were imported."""
        known = {id(getattr(functions, f"_{name}")): getattr(functions, name) for name in (*_OS, *_PATH, "open")}
        for holder in [sys.modules[name] for name in _HOLDERS if name in sys.modules]:
            classes = [one for one in vars(holder).values() if isinstance(one, type)]
            for owner in [holder, *(one for one in classes if one.__module__ == holder.__name__)]:
                for name, value in list(vars(owner).items()):
                    ours = known.get(id(_unwrapped(value)))
                    if ours is not None:
                        self._set(owner, name, value, ours)

    def _keep_abilities(self) -> None:
        """`os.stat in os.supports_dir_fd` holds as before."""
        for ability in _ABILITIES:
            able = getattr(os, ability)
            able.update([ours for _, _, original, ours in self._made if _is_in(original, able)])


def _unwrapped(value: "Any") -> "Any":
    function = value.__func__ if isinstance(value, staticmethod) else value
    return vars(function).get("__wrapped__", function) if isinstance(function, types.FunctionType) else function


def _is_in(function: "Any", able: "Any") -> bool:
    try:
        return function in able
    except TypeError:  # it has no hash
        return False
