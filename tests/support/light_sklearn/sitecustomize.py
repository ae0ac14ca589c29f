"""In PYTHONPATH this lets scikit-learn begin without `scipy.stats`, a third of its import that few of it use.

Whatever is imported from there fails when it is called.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec


class _Absent:
    """A function or a class of `scipy.stats`."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError("scipy.stats is left out in this test")


class _WithoutStats:
    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if f"{name}.".startswith("scipy.stats.") else None

    def create_module(self, _: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: object) -> None:
        module.__getattr__ = _absent


def _absent(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent


sys.meta_path.insert(0, _WithoutStats())
