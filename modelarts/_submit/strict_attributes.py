"""Attributes that are settings: one that is misspelled would have no effect."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

ALIKE = 0.8  # of 1; `hyperparams` is that near to `hyperparameters`, `job_name` not to `job_type`


class StrictAttributes:
    """An object whose attributes are the arguments of its constructor, and any that do not resemble those."""

    _arguments: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            _, *arguments = inspect.signature(vars(cls)["__init__"]).parameters
            cls._arguments = (*cls._arguments, *arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name.startswith("_") or name in self._arguments or hasattr(self, name)):
            import difflib

            near = difflib.get_close_matches(name.lower(), self._arguments, 1, ALIKE)
            if near:
                raise AttributeError(
                    f"{type(self).__name__} has no attribute {name!r}, and it would have no effect: did you mean "
                    f"{near[0]!r}? One of your own needs a name that is less alike"
                )
        super().__setattr__(name, value)
