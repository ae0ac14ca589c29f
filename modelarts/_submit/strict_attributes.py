"""Attributes that are settings: a misspelled one would have no effect, so it is refused."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

ALIKE = 0.8  # of 1; `hyperparams` is that similar to `hyperparameters`, `job_name` is not to `job_type`


class StrictAttributes:
    """An object whose attributes are the arguments of its constructor.

    Others may be set as long as their names do not resemble those. Type checkers report each of them.
    """

    if not TYPE_CHECKING:  # a class with this method may have any attribute, as far as type checkers know

        def __setattr__(self, name: str, value: Any) -> None:
            if not (name.startswith("_") or hasattr(self, name)):
                arguments = _arguments(type(self))
                if name not in arguments:
                    _refuse_similar(type(self), name, arguments)
            super().__setattr__(name, value)


@lru_cache(maxsize=64)
def _arguments(cls: type) -> tuple[str, ...]:
    """The names of the arguments of a constructor, and of those of the base classes."""
    codes = [vars(base)["__init__"].__code__ for base in cls.__mro__ if hasattr(vars(base).get("__init__"), "__code__")]
    return tuple(name for code in codes for name in code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


def _refuse_similar(cls: type, name: str, arguments: tuple[str, ...]) -> None:
    import difflib

    similar = difflib.get_close_matches(name.lower(), arguments, 1, ALIKE)
    if similar:
        raise AttributeError(
            f"{cls.__name__} has no attribute {name!r}, and setting it would have no effect: did you mean "
            f"{similar[0]!r}? An attribute of your own needs a less similar name"
        )
