"""Calls a function when a module has been imported, however late that is."""

import contextlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class ImportHook:
    """Finds what others find, and acts when it has been loaded.

    Args:
        actions: what to do with a module, by its name.
    """

    def __init__(self, actions: "Mapping[str, Callable[[Any], None]]") -> None:
        self._actions = actions

    def begin(self) -> None:
        """Act on the modules that are there, and from now on on those that come."""
        for name, action in self._actions.items():
            if name in sys.modules:
                _act(action, sys.modules[name])
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Act no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """As `importlib.abc.MetaPathFinder.find_spec`."""
        if name not in self._actions:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None and finder is not self else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._actions[name])
                return spec
        return None


class _Loader:
    """A loader that acts after another one; the module knows that one only."""

    def __init__(self, loader: "Any", action: "Callable[[Any], None]") -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: "Any") -> "Any":
        return self._loader.create_module(spec)

    def exec_module(self, module: "Any") -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _act(self._action, module)


def _act(action: "Callable[[Any], None]", module: "Any") -> None:
    with contextlib.suppress(AttributeError, KeyError):  # in this version of the library, it is elsewhere
        action(module)
