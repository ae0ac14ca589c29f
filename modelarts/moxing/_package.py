"""The package itself: one state under both of its names, errors for what it lacks, and the root logger."""

import functools
import logging
import os
import sys
import types

PAGE = "docs/reference/moxing.md"
VERSION = "2.5.0-standin"
NAMES = ("moxing", "modelarts.moxing")  # in jobs, and in the SDK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OutOfScope(AttributeError, NotImplementedError):
    """An attribute of MoXing that is not provided; `hasattr` is false for it."""


def missing_text(module: str, name: str) -> str:
    """Why something is missing.

    Args:
        module: the full name of the module that was asked.
        name: the attribute or submodule.
    """
    inside = module.partition("moxing")[2].lstrip(".")
    full = ".".join(filter(None, ["moxing", inside, name]))
    if inside.startswith("framework.file"):
        return f"moxing.file.{name} is not one of the functions that are provided here. {PAGE} lists them."
    return (
        f"{full} belongs to the MoXing training framework, which is not provided here; only moxing.file is. "
        f"Use the API of the engine itself. {PAGE} lists what there is."
    )


class Module(types.ModuleType):
    """A module that explains what it lacks; Python 3.6 has no `__getattr__` in modules."""

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise OutOfScope(missing_text(self.__name__, name))


class _Finder:
    """Explains imports of submodules that MoXing has and this package has not."""

    @staticmethod
    def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> None:
        for root in NAMES:
            if name.startswith(f"{root}.") and root in sys.modules:
                raise ImportError(missing_text(root, name[len(root) + 1 :]), name=name)


def explain_missing(module: str) -> None:
    """Make the attributes that a module lacks raise `OutOfScope`."""
    sys.modules[module].__class__ = Module


def set_up(name: str) -> None:
    """Prepare the package under the name that it is imported by."""
    sys.modules[name].__dict__["__version__"] = VERSION
    explain_missing(name)
    other = NAMES[1 - NAMES.index(name)]
    if other in sys.modules:
        _share(other, name)
    elif not any(finder is _Finder for finder in sys.meta_path):
        sys.meta_path.append(_Finder)
    if name == "moxing":
        _set_up_logging()


def _share(loaded: str, name: str) -> None:
    """Give the modules of a loaded package its second name, so that keys, files and shifted functions are shared."""
    for module in [one for one in sys.modules if one == loaded or one.startswith(f"{loaded}.")]:
        sys.modules[name + module[len(loaded) :]] = sys.modules[module]


def _set_up_logging() -> None:
    """Show what scripts log by `logging.info`, as MoXing does: they rely on it."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        root.addHandler(handler)
        _let_basic_config_replace(handler)
    if os.environ.get("MOX_SILENT_MODE", "0").strip() in ("", "0"):
        root.info("Using MoXing-v%s", VERSION)


def _let_basic_config_replace(handler: logging.Handler) -> None:
    """`logging.basicConfig` does nothing where there is a handler; scripts that call it later want theirs."""
    original = logging.basicConfig

    @functools.wraps(original)
    def basic_config(**options: "Any") -> None:
        root = logging.getLogger()
        if options and root.handlers == [handler]:
            root.removeHandler(handler)
        try:
            original(**options)
        finally:
            if not root.handlers:
                root.addHandler(handler)

    logging.basicConfig = basic_config
