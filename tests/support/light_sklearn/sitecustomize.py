"""In PYTHONPATH this lets scikit-learn begin without packages that few of it use: almost half of its import.

Whatever is imported from there fails when it is called.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

_LEFT_OUT = ("scipy.stats.", "scipy.optimize.", "numpy.f2py.")


class _Absent:
    """A function or a class of these packages."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError(f"{_LEFT_OUT} are left out in this test")


class _LeftOut:
    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if f"{name}.".startswith(_LEFT_OUT) else None

    def create_module(self, _: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: object) -> None:
        module.__getattr__ = _absent


def _absent(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent


sys.meta_path.insert(0, _LeftOut())
